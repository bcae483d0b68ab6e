/**
 * Appends to a ledger whose key is in Vault, as ledger-writer.ts does to one with a key file. Arguments: database, pinned
 * key, Vault's address, count, appends at once; the token is in VAULT_TOKEN.
 */
import { writeSync } from 'node:fs';
import { loadPinned, openLedger, remoteKey } from '../../src/governance/ledger/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';
import { signerOn } from './vault/transit.ts';

const [path = '', pin = '', address = '', count = '0', atOnce = '1'] = process.argv.slice(2);
const env = systemEnv();
const { client, signer } = signerOn(new URL(address), process.env['VAULT_TOKEN'] ?? '', 20_000);
const { verifier, version } = loadPinned(pin);
await using close = new AsyncDisposableStack();
close.use(client);
const ledger = close.use(
  await openLedger({ path, key: remoteKey(signer, verifier, version), env, ids: idSource(env), busyMs: 60_000 }),
);
let started = 0;

async function appendInTurn(): Promise<void> {
  while (started < Number(count)) {
    const n = started++;
    const { seq, leaf } = await ledger.append({ kind: 'run', body: { pid: process.pid, n } });
    // Synchronously, so that what was acknowledged is known whenever the end comes.
    writeSync(1, `${seq} ${leaf}\n`);
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, appendInTurn));
