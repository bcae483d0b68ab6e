/** A test whose tool is missing is skipped in plain sight; in CI it fails. */
import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';

const tryOut: Readonly<Record<string, readonly string[]>> = {
  bwrap: ['--version'],
  terraform: ['version'],
  git: ['--version'],
};

/** `describe` that runs only where `tool` does. */
export function describeWith(tool: string, name: string, body: () => void): void {
  const works = spawnSync(tool, tryOut[tool] ?? ['--version']).status === 0;
  if (works || process.env['CI'] === 'true') describe(name, body);
  else describe.skip(`${name} (skipped: ${tool} is not installed)`, body);
}
