/** Processes of this machine, whoever their parents are. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** Ten minutes and a fraction of a second that no other process has: for `sleep`, which then shows it. */
export function marker(): string {
  return `600.${randomBytes(6).readUIntBE(0, 6).toString().padStart(15, '0')}`;
}

export interface Found {
  readonly pid: number;
  readonly arguments: string;
}

/** Those that run and show the text in their arguments; one that waits to be reaped has no arguments any more. */
export function processesWith(text: string): readonly Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), arguments: argumentsOf(name) }))
    .filter((found) => found.arguments.includes(text));
}

/** Whether it runs. One that has ended is seen until its parent has taken note, which a busy machine may put off. */
export function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has ended meanwhile
  }
}
