/**
 * Whose turn it is to have a head signed elsewhere, among all processes of this host: two that asked at once would ask
 * for two heads of one size, and one signature would be for nothing. The turn keeps nobody from committing: whoever waits
 * for it in vain, behind a process that was stopped, goes on without it.
 *
 * It is SQLite's lock on a file beside the ledger, since the system takes that from a process that dies. There is a second
 * such lock for the next in line. Without it whoever had the turn would take it again before anybody looked.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Env } from '../../../kernel/index.ts';
import { isBusy } from '../store/index.ts';

export interface Turn extends Disposable {
  /** Resolves with the turn, to be disposed, or undefined where it did not come before `deadline` (monotonic clock). */
  take(deadline: number): Promise<Disposable | undefined>;
}

const nextInLineMs = 1;
const inLineMs = 4;

export function openTurn(path: string, env: Env): Turn {
  using opened = new DisposableStack();
  const next = opened.use(openLock(`${path}-next`));
  const turn = opened.use(openLock(`${path}-turn`));
  const closing = opened.move();

  const wait = async (lock: Lock, deadline: number, pauseMs: () => number): Promise<Disposable | undefined> => {
    for (;;) {
      const held = lock.tryTake();
      if (held || env.monotonic() >= deadline) return held;
      await env.sleep(pauseMs());
    }
  };

  return {
    async take(deadline) {
      // A varying wait, so that nobody always comes a moment too late.
      using place = await wait(next, deadline, () => 1 + ((env.random(1)[0] ?? 0) % inLineMs));
      return place && (await wait(turn, deadline, () => nextInLineMs));
    },
    [Symbol.dispose]: () => closing.dispose(),
  };
}

interface Lock extends Disposable {
  tryTake(): Disposable | undefined;
}

function openLock(path: string): Lock {
  closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path, { timeout: 0 });
  // Nothing is ever written, and with a journal on disk each lock would look for one first.
  db.exec('PRAGMA journal_mode = MEMORY');
  const take = db.prepare('BEGIN IMMEDIATE');
  const release = db.prepare('ROLLBACK');
  return {
    tryTake() {
      try {
        take.run();
      } catch (error) {
        if (isBusy(error)) return undefined;
        throw error;
      }
      return { [Symbol.dispose]: () => void (db.isTransaction && release.run()) };
    },
    [Symbol.dispose]: () => void (db.isOpen && db.close()),
  };
}
