/** The contract on a live Vault, in a mount that is there for this alone. */
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import { openOwnVaultSecrets } from '../../../../test/support/vault/index.ts';
import { describeLive } from '../../../../test/support/vault/live.ts';
import { type Env, idSource, systemEnv } from '../../../kernel/index.ts';
import { keysAnswer, type Vault } from '../../vault-client/index.ts';
import { secretsContract } from '../contract.ts';
import type { Secrets } from '../port.ts';

describeLive('secrets', ({ vault, mark, connection }) => {
  const env = systemEnv();
  const mount = `agov-test-${mark}`;

  beforeAll(() => mounting(vault, 'POST', mount));
  afterAll(() => mounting(vault, 'DELETE', mount));

  secretsContract('live vault', async () => {
    let now = env.now();
    // The suite moves this clock; timers and deadlines go by the real one, as the server does.
    const shown: Env = { ...env, now: () => now };
    const close = new AsyncDisposableStack();
    const open = (): Secrets =>
      byOurClock(close.use(openOwnVaultSecrets({ ...connection, mount, env: shown, ids: idSource(shown) })), () => now);
    const [first, second] = [open(), open()];
    close.defer(() => cleared(vault, mount));
    return {
      first,
      second,
      now: () => now,
      advance: async (ms) => {
        now += ms;
      },
      async reopen() {
        await first[Symbol.asyncDispose]();
        await second[Symbol.asyncDispose]();
        return open();
      },
      [Symbol.asyncDispose]: () => close.disposeAsync(),
    };
  });
});

/** The server's clock is its own: a change that it made within the last half minute counts as made now. */
function byOurClock(secrets: Secrets, now: () => number): Secrets {
  return {
    ...secrets,
    async set(path, value) {
      const info = await secrets.set(path, value);
      return Math.abs(info.changedAt - now()) < 30_000 ? { ...info, changedAt: now() } : info;
    },
  };
}

async function mounting(vault: Vault, method: 'POST' | 'DELETE', mount: string): Promise<void> {
  const body = method === 'POST' ? { body: { type: 'kv', options: { version: '2' } } } : {};
  await vault.within(async (call) => {
    await vault.send(call, { method, path: `sys/mounts/${mount}`, ...body });
    // A new mount of version 2 is still upgrading for a moment, and says so with 400.
    if (method === 'POST') await untilReady(vault, call, mount);
  });
}

async function untilReady(vault: Vault, call: Parameters<Vault['send']>[0], mount: string): Promise<void> {
  const request = { method: 'GET', path: `${mount}/metadata/x` } as const;
  while ((await vault.send(call, request, 400, 404)).status === 400) await systemEnv().sleep(100, call.signal);
}

/** Ends every lease and drops every secret of one test, so that the next one starts with nothing. */
async function cleared(vault: Vault, mount: string): Promise<void> {
  const secrets = z.object({ data: z.object({ data: z.object({ accessor: z.string() }) }) });
  const drop = async (call: Parameters<Vault['send']>[0], folder: string): Promise<void> => {
    const answer = await vault.send(call, { method: 'LIST', path: `${mount}/metadata/${folder}` }, 404);
    if (answer.status === 404) return;
    for (const key of keysAnswer.parse(answer.json).data.keys) {
      if (key.endsWith('/')) {
        await drop(call, `${folder}${key}`);
        continue;
      }
      if (folder === '~leases/') {
        const path = `${mount}/data/${folder}${key}`;
        const { accessor } = (await vault.ask(call, { method: 'GET', path }, secrets)).data.data;
        const request = { method: 'POST', path: 'auth/token/revoke-accessor', body: { accessor } } as const;
        await vault.send(call, request, 400, 403);
      }
      await vault.send(call, { method: 'DELETE', path: `${mount}/metadata/${folder}${key}` });
    }
  };
  await vault.within((call) => drop(call, ''));
}
