/** Descriptors that the governor was born with: a child would inherit them, and with them files, sockets and devices. */
import { readdirSync, readFileSync } from 'node:fs';
import { systemCode } from '../../../kernel/index.ts';

const closeOnExec = 0o2000000;

/**
 * Those above stderr that lack close-on-exec. Node opens its own with it, and marks what it finds at its start only up
 * to the first gap, so a descriptor with a high number passes through.
 */
export function inheritedDescriptors(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && (flagsOf(descriptor) & closeOnExec) === 0);
}

function flagsOf(descriptor: number): number {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'));
    return Number.parseInt(flags?.[1] ?? '0', 8);
  } catch (error) {
    // The descriptor with which the list was read is gone by now.
    if (systemCode(error) === 'ENOENT') return closeOnExec;
    throw error;
  }
}
