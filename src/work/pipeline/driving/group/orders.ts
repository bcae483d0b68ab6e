/**
 * How a run makes room for a newer one of its group, wherever it is driven: by an entry in its ledger where that is here,
 * and otherwise by a word on the board, which its driver reads and records itself. Whoever can write to the board can end
 * runs by it, as by any lock, and can start nothing.
 */
import type { Board } from '../../../../adapters/state/port.ts';
import type { Ledger } from '../../../../governance/ledger/index.ts';
import { type Env, isAgovError } from '../../../../kernel/index.ts';
import type { OperatorAct } from '../../../agents/index.ts';
import { orderEnd } from '../runs.ts';
import { orderKey } from './names.ts';

export interface OrderParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly board: Board;
  /** In whose name this process drives. */
  readonly by: OperatorAct;
}

const lookEveryMs = 1000;

/** Tells `other` to end; it undoes what it did, under its own driver. */
export async function orderAway({ ledger, board, by }: OrderParts, other: string, run: string): Promise<void> {
  try {
    await orderEnd(ledger, other, by, `run ${run} of the same group began`);
  } catch (error) {
    if (isAgovError(error, 'CONFLICT')) return; // it has ended at this moment
    if (!isAgovError(error, 'NOT_FOUND')) throw error;
    const { version = 0 } = (await board.get(orderKey(other))) ?? {};
    await board.set(orderKey(other), { by: run }, version);
  }
}

/** Until disposed, does what other hosts order this run. */
export function heedOrders(parts: OrderParts, run: string): AsyncDisposable {
  const over = new AbortController();
  const heed = async (): Promise<void> => {
    for (;;) {
      await parts.env.sleep(lookEveryMs, over.signal);
      // A store that is away brings no orders; the turn itself is lost if it stays away.
      await heedOnce(parts, run).catch(() => undefined);
    }
  };
  const heeding = heed().catch(() => undefined); // only by the end
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await heeding;
    },
  };
}

async function heedOnce({ ledger, board, by }: OrderParts, run: string): Promise<void> {
  const order = await board.get(orderKey(run));
  if (!order) return;
  await orderEnd(ledger, run, by, 'a newer run of the same group began on another host').catch((error: unknown) => {
    if (!isAgovError(error, 'CONFLICT')) throw error;
  });
  await board.remove(orderKey(run), order.version);
}
