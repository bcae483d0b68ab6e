/** Which governor wrote an intent, in a form that another process can test for life, also after a reboot. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';

export const governorMarkSchema = z.strictObject({
  host: z.string(),
  /** Linux's boot id: a pid of an earlier boot is dead. */
  boot: z.string(),
  pid: z.int(),
  /** Start time of the process in clock ticks since boot, so that a reused pid is not mistaken for it. */
  started: z.string(),
});
export type GovernorMark = z.infer<typeof governorMarkSchema>;

export function governorMark(): GovernorMark {
  return { host: hostname(), boot: bootId(), pid: process.pid, started: processStart(process.pid) ?? '' };
}

/** False only when it is certain: same host, and gone or of an earlier boot. Elsewhere it may live. */
export function mayLive(mark: GovernorMark): boolean {
  if (mark.host !== hostname()) return true;
  return mark.boot === bootId() && processStart(mark.pid) === mark.started;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/**
 * When a process of this machine started, in clock ticks since boot: with its pid that names it for ever. Undefined when
 * there is none; one that has ended and waits to be reaped is none. Field 22 of /proc/PID/stat, whose field 2 may hold
 * anything.
 */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined; // no such process: that is the answer, not a failure
  }
}
