/** Ledgers whose key is in a fake Vault, in folders of their own that go away with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ledger, loadOrPin, loadPinned, openLedger, remoteKey } from '../../src/governance/ledger/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';
import type { FakeVault } from './vault/index.ts';
import { fakeVaultWithTransit, signerOn } from './vault/transit.ts';

export interface TransitFolder extends AsyncDisposable {
  readonly dir: string;
  readonly path: string;
  readonly pin: string;
  readonly vault: FakeVault;
  /** With a client of its own, as another process would; pins the key at the first use. */
  open(): Promise<Ledger>;
  /** Asks Vault for nothing. */
  openReadOnly(): Promise<Ledger>;
  /** How often Vault was asked to sign. */
  signatures(): number;
  /** Holds Vault's next signature back. `asked` resolves once it was asked for, `answer` lets Vault answer. */
  hold(): { readonly asked: Promise<void>; answer(): void };
}

export async function transitFolder({ deadlineMs = 2000 } = {}): Promise<TransitFolder> {
  const dir = mkdtempSync(join(tmpdir(), 'agov-transit-'));
  const [path, pin] = [join(dir, 'project', 'ledger.db'), join(dir, 'keys', 'ledger.pinned.json')];
  const vault = await fakeVaultWithTransit();
  const env = systemEnv();
  const close = new AsyncDisposableStack();
  close.defer(() => rmSync(dir, { recursive: true, force: true }));
  close.use(vault);
  return {
    ...{ dir, path, pin, vault },
    async open() {
      const { client, signer } = signerOn(vault.address, vault.root, deadlineMs);
      close.use(client);
      const { verifier, version } = await loadOrPin(pin, 'example.com/test', signer, env);
      const key = remoteKey(signer, verifier, version);
      return close.use(await openLedger({ path, key, env, ids: idSource(env), witness: join(dir, 'keys', 'head') }));
    },
    openReadOnly: () => openLedger({ path, key: loadPinned(pin).verifier, env, readOnly: true }),
    signatures: () => vault.requests.filter((request) => request.path.startsWith('transit/sign/')).length,
    hold() {
      const asked = Promise.withResolvers<void>();
      let held: ServerResponse | undefined;
      vault.fault = (requested, response) => {
        if (!requested.startsWith('transit/sign/')) return false;
        vault.fault = undefined;
        held = response;
        asked.resolve();
        return true;
      };
      // Vault's 307 to itself: the client asks again, and gets its answer.
      const location = `${vault.address.origin}/v1/transit/sign/ledger`;
      return { asked: asked.promise, answer: () => void held?.writeHead(307, { location }).end() };
    },
    [Symbol.asyncDispose]: () => close.disposeAsync(),
  };
}
