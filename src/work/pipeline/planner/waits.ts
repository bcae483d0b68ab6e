/** What a driver knows of units that could not go on: which approval or event they are at, who keeps them from a lock. */
import type { Env } from '../../../kernel/index.ts';
import type { UnitEnd } from '../unit/index.ts';
import type { Now } from './next.ts';

export interface Waits {
  /** The unit is tried. True where it was only kept from its locks the last time. */
  begin(key: string): boolean;
  /** What came of it, when `signals` were known. False where that has been told before. */
  note(key: string, end: UnitEnd, signals: number): boolean;
  /** For the planner; `signals` are known by now. */
  now(signals: number): Pick<Now, 'parked' | 'held'>;
  /** As the record has it when the run is left waiting. */
  waitedFor(): { readonly approvals: string[]; readonly events?: string[] };
}

/** How often a lock that somebody else holds is asked for. */
const askEveryMs = 1000;

export function createWaits(env: Env): Waits {
  const approvals = new Map<string, string>();
  const events = new Map<string, { event: string; until: number; known: number }>();
  const held = new Map<string, { reason: string; at: number }>();
  const told = new Map<string, string>();
  /** Something has ended here, and perhaps let go what others of this run wait for. */
  const released = (): void => {
    for (const [key, { reason }] of held) held.set(key, { reason, at: env.now() });
  };
  return {
    begin: (key) => held.has(key),
    note(key, end, known) {
      held.delete(key);
      events.delete(key);
      if (end.status === 'parked') approvals.set(key, end.approval);
      if (end.status === 'awaiting') {
        events.set(key, { event: end.event, until: end.until ?? Number.POSITIVE_INFINITY, known });
      }
      if (end.status !== 'held') {
        released();
        told.delete(key);
        return true;
      }
      // A little by chance, so that two who wait for each other's leavings do not come back in step.
      const at = env.now() + askEveryMs + (env.random(1)[0] ?? 0);
      held.set(key, { reason: end.reason, at });
      const news = told.get(key) !== end.reason;
      told.set(key, end.reason);
      return news;
    },
    now(signals) {
      const deaf = [...events].filter(([, { known, until }]) => known === signals && env.now() < until);
      return {
        parked: new Set([...approvals.keys(), ...deaf.map(([key]) => key)]),
        held: new Map([...held].map(([key, { at }]) => [key, at])),
      };
    },
    waitedFor() {
      const names = [...new Set([...events.values()].map(({ event }) => event))];
      return { approvals: [...approvals.values()], ...(names.length > 0 ? { events: names } : {}) };
    },
  };
}
