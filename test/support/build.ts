/**
 * Bundles `dist/` before the tests where a source is newer: those that start processes start what a user starts.
 */
import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const built = statSync(join(root, 'dist/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => statSync(join(root, file)).mtimeMs);
  if (Math.max(...sources) < built) return;
  const rolldown = join(root, 'node_modules/rolldown/bin/cli.mjs');
  execFileSync(process.execPath, [rolldown, '--config', '--logLevel', 'warn'], { cwd: root, stdio: 'inherit' });
}
