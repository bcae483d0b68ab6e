/** What the disk itself does, measured beside everything that claims to be durable. */
import { closeSync, fdatasyncSync, openSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const tmpfsMagic = 0x01021994;

export function isTmpfs(dir: string): boolean {
  return statfsSync(dir).type === tmpfsMagic;
}

/** The temporary folder, or the current one where that is memory and would make every figure a lie. */
export function realDisk(): string {
  return isTmpfs(tmpdir()) ? process.cwd() : tmpdir();
}

/** Milliseconds of `rounds` times: 4 KiB written over, then fdatasync. */
export function fdatasyncTimes(dir: string, rounds: number): number[] {
  const file = openSync(join(dir, 'fdatasync'), 'w', 0o600);
  const page = Buffer.alloc(4096, 1);
  try {
    return Array.from({ length: rounds }, () => {
      writeSync(file, page, 0, page.length, 0);
      const began = performance.now();
      fdatasyncSync(file);
      return performance.now() - began;
    });
  } finally {
    closeSync(file);
  }
}

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
