/** A test whose tool is missing is skipped in plain sight; in CI it fails. */
import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

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

/** `describe` that runs only where all `tools` (words) do. */
export function describeWith(tools: string, name: string, body: () => void): void {
  const why = excuse(tools);
  if (why === undefined) describe(name, body);
  else describe.skip(`${name} (skipped: ${why})`, body);
}

/** `it` in the same way. */
export function itWith(tools: string, name: string, body: () => void | Promise<void>): void {
  const why = excuse(tools);
  if (why === undefined) it(name, body);
  else it.skip(`${name} (skipped: ${why})`, body);
}

function excuse(tools: string): string | undefined {
  const lacking = tools.split(' ').filter((tool) => missing(tool) !== undefined && !required(tool));
  return lacking.length === 0 ? undefined : `${lacking.join(' and ')} not installed`;
}
