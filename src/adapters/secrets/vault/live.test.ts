/**
 * The contract on a live Vault: `npm run test:vault`, with VAULT_ADDR and VAULT_TOKEN of somebody who may mount. Never
 * by VAULT_ADDR alone, which may well name a server that matters. It works in a mount of its own, and at the end looks
 * whether mounts and tokens are those that were there before.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openOwnVaultSecrets } from '../../../../test/support/vault/index.ts';
import { type Env, idSource, Secret, systemEnv } from '../../../kernel/index.ts';
import { keysAnswer, openVault, type Vault } from '../../vault-client/index.ts';
import { secretsContract } from '../contract.ts';
import type { Secrets } from '../port.ts';

const mountsAnswer = z.object({ data: z.record(z.string(), z.unknown()) });
const live = process.env['AGOV_TEST_VAULT'] === 'live';

(live ? describe : describe.skip)(`a live Vault${live ? '' : ' (skipped: npm run test:vault asks for it)'}`, () => {
  const env = systemEnv();
  const address = new URL(needed('VAULT_ADDR'));
  const token = new Secret(needed('VAULT_TOKEN'));
  const caFile = process.env['VAULT_CACERT'];
  const connection = {
    ...{ address, namespace: process.env['VAULT_NAMESPACE'], deadlineMs: 15_000 },
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    auth: { method: 'token', token: () => token } as const,
  };
  const mount = `agov-test-${Buffer.from(env.random(6)).toString('hex')}`;
  const vault = openVault({ ...connection, env });
  let before: unknown;

  beforeAll(async () => {
    before = await found(vault);
    await mounting(vault, 'POST', mount);
  });
  afterAll(async () => {
    await mounting(vault, 'DELETE', mount);
    const after = await found(vault);
    await vault[Symbol.asyncDispose]();
    expect(after).toEqual(before);
  });

  it('is asked in a mount that is there for this alone', async () => {
    expect(Object.keys((await found(vault)).mounts)).not.toEqual(Object.keys(Object(before).mounts));
  });

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

function needed(variable: string): string {
  const value = process.env[variable];
  if (value) return value;
  if (live) throw new Error(`npm run test:vault needs ${variable}.`);
  return 'http://127.0.0.1';
}

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

async function found(vault: Vault) {
  return vault.within(async (call) => {
    const mounts = await vault.ask(call, { method: 'GET', path: 'sys/mounts' }, mountsAnswer);
    const tokens = await vault.ask(call, { method: 'LIST', path: 'auth/token/accessors/' }, keysAnswer);
    return { mounts: mounts.data, tokens: tokens.data.keys.sort() };
  });
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
