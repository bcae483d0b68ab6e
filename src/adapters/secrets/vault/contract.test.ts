/** The contract on a server that answers from recorded exchanges. */
import { fakeEnv } from '../../../../test/support/fake-env.ts';
import { fakeVault, openOwnVaultSecrets } from '../../../../test/support/vault/index.ts';
import { idSource, Secret } from '../../../kernel/index.ts';
import { secretsContract } from '../contract.ts';

secretsContract('vault', async () => {
  const env = fakeEnv();
  const close = new AsyncDisposableStack();
  const vault = close.use(await fakeVault({ env }));
  const open = () =>
    close.use(
      openOwnVaultSecrets({
        ...{ address: vault.address, mount: 'agov', deadlineMs: 5000, env, ids: idSource(env) },
        auth: { method: 'token', token: () => new Secret(vault.root) },
      }),
    );
  const [first, second] = [open(), open()];
  return {
    first,
    second,
    now: () => env.now(),
    advance: async (ms) => env.advance(ms),
    async reopen() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
      return open();
    },
    [Symbol.asyncDispose]: () => close.disposeAsync(),
  };
});
