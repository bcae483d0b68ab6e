/** Puts on record that somebody writes to the state server what nobody trusted has signed; not more often than helps. */
import type { Ledger } from '../../governance/ledger/index.ts';
import type { Env, JsonObject } from '../../kernel/index.ts';

export interface Alarm {
  raise(what: string, details: JsonObject, parent?: string): void;
  /** Resolves when all is on record that was raised. */
  told(): Promise<void>;
}

/** Whoever can forge one can forge a million, and each entry stays for ever. */
const pauseMs = 10_000;

export function createAlarm(ledger: Ledger, env: Env): Alarm {
  let [again, kept] = [Number.NEGATIVE_INFINITY, 0];
  let telling: Promise<unknown> = Promise.resolve();
  return {
    raise(what, details, parent) {
      kept += 1;
      if (env.monotonic() < again) return;
      again = env.monotonic() + pauseMs;
      const body = { what, details: { ...details, times: kept } };
      kept = 0;
      const draft = { kind: 'violation', body, ...(parent === undefined ? {} : { parent }) } as const;
      // A ledger that takes nothing stops what is allowed; this was not.
      telling = ledger.append(draft).catch(() => undefined);
    },
    async told() {
      await telling;
    },
  };
}
