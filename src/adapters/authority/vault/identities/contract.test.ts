/** The identities contract on the fake Vault. */
import { governors } from '../../../../../test/support/vault/governors.ts';
import { fakeVault, laidOut, names } from '../../../../../test/support/vault/index.ts';
import { Secret, systemEnv } from '../../../../kernel/index.ts';
import { openVault } from '../../../vault-client/index.ts';
import { identitiesContract } from '../../contract.ts';

identitiesContract('Vault (fake)', async () => {
  const env = systemEnv();
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await fakeVault({ env }));
  await laidOut(server, env);
  const auth = { method: 'token', token: () => new Secret(server.root) } as const;
  const client = opening.use(openVault({ address: server.address, deadlineMs: 5000, env, auth }));
  const fixture = await governors(client, { names, mount: 'agov', env });
  const opened = opening.move();
  return { ...fixture, [Symbol.asyncDispose]: () => opened.disposeAsync() };
});
