/**
 * Bundles `dist/` before the tests where a source is newer: those that start processes start what a user starts. And one
 * place for compiled code that they share, since each of them has a home of its own.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function setup(): () => void {
  const cache = mkdtempSync(join(tmpdir(), 'agov-compiled-'));
  process.env['XDG_CACHE_HOME'] = cache;
  bundle();
  return () => rmSync(cache, { recursive: true, force: true });
}

function bundle(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const built = statSync(join(root, 'dist/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => statSync(join(root, file)).mtimeMs);
  if (Math.max(...sources) < built) return;
  const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
  execFileSync(process.execPath, [rolldown, '--config', '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 2, 'inherit'],
  });
}
