/**
 * Appends to a ledger until it has appended enough or is killed, and prints each receipt once it has it.
 * Arguments: database, key file, count, appends at once.
 */
import { writeSync } from 'node:fs';
import { loadKey, openLedger } from '../../src/governance/ledger/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';

const [path = '', keyPath = '', count = '0', atOnce = '1'] = process.argv.slice(2);
const env = systemEnv();
await using ledger = await openLedger({ path, key: loadKey(keyPath), env, ids: idSource(env), busyMs: 60_000 });
let started = 0;

async function appendInTurn(): Promise<void> {
  while (started < Number(count)) {
    const n = started++;
    const { seq, leaf } = await ledger.append({
      kind: 'run',
      body: { pid: process.pid, n },
      claim: `${process.pid}:${n}`,
    });
    // Synchronously, so that what was acknowledged is known whenever the end comes.
    writeSync(1, `${seq} ${leaf}\n`);
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, appendInTurn));
