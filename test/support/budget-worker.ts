/**
 * A process of its own on a shared ledger: `node budget-worker.ts DIR BUDGET RUN TOKENS` takes TOKENS from the budget until
 * it is refused, each time telling half of it as spent on every second act; prints how many tokens it was given.
 */
import { join } from 'node:path';
import { ledgerBudgets } from '../../src/governance/budgets/index.ts';
import { loadKey, openLedger } from '../../src/governance/ledger/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';

const env = systemEnv();
const ids = idSource(env);
const [dir = '', budget = '', run = '', each = '0'] = process.argv.slice(2);
const key = loadKey(join(dir, 'ledger.key'));
await using ledger = await openLedger({ path: join(dir, 'ledger.db'), key, env, ids });
const budgets = ledgerBudgets({ ledger, env, ids });
const tokens = Number(each);
let spent = 0;
for (;;) {
  const hold = await budgets.take({ run, budget }, { tokens });
  if ('refused' in hold) break;
  const body = { decision: { verdict: 'allow' }, budget: { ...hold.draw, reserved: { tokens } } };
  const { seq } = await ledger.append({ kind: 'intent', run, id: hold.id, body, opens: true });
  const late = await hold.late(seq);
  const used = late === undefined ? tokens : 0;
  spent += used;
  await ledger.append({ kind: 'outcome', run, parent: hold.id, body: { spent: { tokens: used } }, closes: hold.id });
}
process.stdout.write(`${JSON.stringify(spent)}\n`);
