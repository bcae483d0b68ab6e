import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * The folder for what only makes the next start faster. What lies there is believed, compiled code among it, so that it
 * must be this user's alone, and in no project, where an agent could write it: undefined where it is not.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv): string | undefined {
  const { XDG_CACHE_HOME: set, HOME: home } = environment;
  const folder = join(set?.startsWith('/') ? set : join(home || homedir(), '.cache'), 'agov');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const real = realpathSync(folder);
    const { uid, mode } = statSync(real);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) return undefined;
    for (let dir = real; dirname(dir) !== dir; dir = dirname(dir)) {
      if (existsSync(join(dir, 'agov.yaml'))) return undefined;
    }
    return real;
  } catch {
    // Without it everything works the same, only slower to start.
    return undefined;
  }
}
