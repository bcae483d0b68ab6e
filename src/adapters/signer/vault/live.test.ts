/** The signer's contract on a live Vault, in a transit engine that is there for this alone. */
import { afterAll, beforeAll } from 'vitest';
import { describeLive } from '../../../../test/support/vault/live.ts';
import { signerContract } from '../contract.ts';
import { vaultSigner } from './index.ts';

describeLive('transit', ({ vault, mark, send, connection: { deadlineMs } }) => {
  const [mount, key] = [`agov-test-${mark}-transit`, 'ledger'];
  beforeAll(async () => {
    await send('POST', `sys/mounts/${mount}`, { type: 'transit' });
    await send('POST', `${mount}/keys/${key}`, { type: 'ed25519' });
  });
  // The key goes with its engine, although it may not be deleted by itself.
  afterAll(() => send('DELETE', `sys/mounts/${mount}`));

  signerContract('live Vault', async () => ({
    signer: vaultSigner({ vault, mount, key, deadlineMs }),
    rotate: () => send('POST', `${mount}/keys/${key}/rotate`),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));
});
