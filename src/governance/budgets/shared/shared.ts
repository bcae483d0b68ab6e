/**
 * One account for hosts that share the state and nothing else. A counter holds what all have spent, and one beside it
 * what this host has put in. The counters may be lost; the ledger is not: where this host's share is less than its record
 * says, it is put in again before anything is taken.
 */
import type { State } from '../../../adapters/state/port.ts';
import { AgovError, type Env } from '../../../kernel/index.ts';
import {
  type Amounts,
  type Counted,
  counted,
  heldTo,
  type Scope,
  type Shortage,
  type Spent,
} from '../account/index.ts';

export interface SharedAccounts {
  /** Takes the amounts from every limited account of the chain, or from none and says which is short. */
  reserve(scope: Scope, amounts: Amounts, overdraws: boolean): Promise<Shortage | undefined>;
  giveBack(scope: Scope, amounts: Amounts): Promise<void>;
  /** After the outcome is on record; `look` brings the scopes in step with it. */
  settle(held: { readonly scope: Scope; readonly amounts: Amounts }, spent: Spent, look: () => void): Promise<void>;
}

export interface SharedParts {
  readonly state: Pick<State, 'counters' | 'locks'>;
  readonly env: Env;
  /** This host's name among those that share the state. */
  readonly host: string;
}

interface Line {
  readonly scope: Scope;
  readonly kind: Counted;
  readonly limit: number;
  readonly total: string;
  /** Of it, this host's. */
  readonly own: string;
}

const lockMs = 10_000;
const tries = 200;

export function sharedAccounts({ state: { counters, locks }, env, host }: SharedParts): SharedAccounts {
  const linesOf = ({ chain }: Scope): readonly Line[] =>
    chain.flatMap((scope) =>
      counted.flatMap((kind) => {
        const limit = scope.limits[kind];
        const total = `budget/${scope.account}/${kind}`;
        return limit === undefined ? [] : [{ scope, kind, limit, total, own: `${total}/${host}` }];
      }),
    );

  /** Puts in what the ledger has and the counters have lost. */
  async function restore({ scope, kind, total, own }: Line): Promise<void> {
    const missing = async (): Promise<number> => scope.used[kind] - (await counters.get(own));
    if ((await missing()) <= 0) return;
    await exclusively(total, async () => {
      const amount = await missing();
      if (amount <= 0) return;
      // The sum first: whoever dies in between leaves too much in it, never too little.
      await counters.add(total, amount);
      await counters.add(own, amount);
    });
  }

  /** Two processes of one host would both put it in. */
  async function exclusively(name: string, work: () => Promise<void>): Promise<void> {
    for (let i = 0; i < tries; i++) {
      const grant = await locks.acquire(name, host, lockMs);
      if (grant) {
        await work();
        await locks.release(name, grant.token);
        return;
      }
      await env.sleep(25);
    }
    throw new AgovError('STATE_UNAVAILABLE', {
      what: 'What was spent cannot be told.',
      why: `Somebody has held the lock ${name} for too long.`,
      fix: 'Try again; if it stays so, see "agov doctor".',
    });
  }

  async function add(lines: readonly Line[], amountOf: (line: Line) => number): Promise<void> {
    const some = lines.filter((line) => amountOf(line) !== 0);
    await Promise.all(some.map((line) => counters.add(line.total, amountOf(line))));
    await Promise.all(some.map((line) => counters.add(line.own, amountOf(line))));
  }

  return {
    async reserve(scope, amounts, overdraws) {
      const lines = linesOf(scope);
      const held = heldTo(scope, overdraws);
      await Promise.all(lines.map(restore));
      const answers = await Promise.all(
        lines.map(async (line) => {
          const amount = amounts[line.kind];
          // What is used up refuses also those who would take nothing of it.
          const most = amount === 0 ? line.limit - 1 : line.limit;
          const limit = held.includes(line.scope) ? most : undefined;
          return { line, amount, ...(await counters.add(line.total, amount, limit)) };
        }),
      );
      const short = answers.find(({ accepted }) => !accepted);
      const taken = answers.filter(({ accepted, amount }) => accepted && amount > 0);
      if (!short) {
        await Promise.all(taken.map(({ line, amount }) => counters.add(line.own, amount)));
        return undefined;
      }
      await Promise.all(taken.map(({ line, amount }) => counters.add(line.total, -amount)));
      const { line, amount, value } = short;
      return { scope: line.scope, kind: line.kind, used: value, wanted: amount };
    },
    giveBack: (scope, amounts) => add(linesOf(scope), ({ kind }) => -amounts[kind]),
    async settle({ scope, amounts }, spent, look) {
      const lines = linesOf(scope);
      const changeOf = ({ kind }: Line): number =>
        kind === 'actions' ? 0 : (spent[kind] ?? amounts[kind]) - amounts[kind];
      await add(lines, (line) => Math.min(0, changeOf(line)));
      look();
      // What was spent beyond the reservation is on record now, and missing here: as after a loss.
      await Promise.all(lines.map(restore));
    },
  };
}
