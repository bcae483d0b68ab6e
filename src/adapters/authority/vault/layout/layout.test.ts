/** What mending promises beyond the commands: it looks whether a change holds, and touches nothing that is left. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeEnv } from '../../../../../test/support/fake-env.ts';
import { builtinLayout, type FakeVault, fakeVault, laidOut } from '../../../../../test/support/vault/index.ts';
import { Secret } from '../../../../kernel/index.ts';
import { openVault, type Vault } from '../../../vault-client/index.ts';
import type { Layout } from '../../port.ts';

const env = fakeEnv();
let server: FakeVault;
let vault: Vault;
let layout: Layout;
beforeEach(async () => {
  server = await fakeVault({ env });
  await laidOut(server, env);
  const auth = { method: 'token', token: () => new Secret(server.root) } as const;
  vault = openVault({ address: server.address, deadlineMs: 5000, env, auth });
  layout = await builtinLayout(vault, env);
});
afterEach(async () => {
  await vault[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

it('tells of a change that Vault took and did not make', async () => {
  server.groups.delete('agov-t1');
  const [missing] = await layout.differences();
  if (!missing) throw new Error('There is no difference.');
  server.fault = (path, response, { method }) => {
    if (method !== 'POST' || path !== 'identity/group') return false;
    response.writeHead(204).end();
    return true;
  };
  await expect(layout.mend(missing)).rejects.toMatchObject({
    code: 'CONFLICT',
    what: expect.stringContaining('identity/group/name/agov-t1'),
  });
});

it('takes a change that somebody made meanwhile for its own', async () => {
  server.policies.delete('agov-t1');
  const [missing] = await layout.differences();
  if (!missing) throw new Error('There is no difference.');
  await layout.mend(missing);
  await layout.mend(missing);
  expect(await layout.differences()).toEqual([]);
});

it('sends nothing for what is left to a person', async () => {
  server.policies.set('agov-t9', 'path "x" {}');
  const [extra] = await layout.differences();
  if (!extra) throw new Error('There is no difference.');
  const sent = server.requests.length;
  await expect(layout.mend(extra)).rejects.toMatchObject({ code: 'CONFLICT', fix: expect.stringContaining('agov-t9') });
  expect(server.requests).toHaveLength(sent);
});
