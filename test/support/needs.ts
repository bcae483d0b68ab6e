/** A test whose tool is missing is skipped in plain sight; in CI it fails. */
import { spawnSync } from 'node:child_process';
import { describe } from 'vitest';

const tryOut: Readonly<Record<string, readonly string[]>> = { openssl: ['version'], terraform: ['version'] };

/** Why tests that need `tool` cannot run here; undefined when they can. */
export function missing(tool: string): string | undefined {
  const works = spawnSync(tool, tryOut[tool] ?? ['--version']).status === 0;
  return works ? undefined : `${tool} is not installed`;
}

/** Whether a missing `tool` is a failure: in CI, unless CI has said in AGOV_WITHOUT that it cannot be had. */
export function required(tool: string): boolean {
  const without = (process.env['AGOV_WITHOUT'] ?? '').split(',');
  return process.env['CI'] === 'true' && !without.includes(tool);
}

/** `describe` that runs only where `tool` does. */
export function describeWith(tool: string, name: string, body: () => void): void {
  const why = missing(tool);
  if (why === undefined || required(tool)) describe(name, body);
  else describe.skip(`${name} (skipped: ${why})`, body);
}
