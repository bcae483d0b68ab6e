/** A Vault that is silent, behind breakers, on a clock that moves when it is told to: what is held, what passes, what comes back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../test/support/fake-env.ts';
import { identified } from '../../../test/support/vault/index.ts';
import { operate } from '../../../test/support/vault/transit.ts';
import { vaultSigner } from '../../adapters/signer/vault/index.ts';
import { openLedger, remoteKey } from '../../governance/ledger/index.ts';
import { verifierKey } from '../../governance/ledger/verifier/index.ts';
import { AgovError, idSource } from '../../kernel/index.ts';
import { guardIdentities, guardSigner, isVaultOutage, openBreaker } from './index.ts';

/** The ledger gives up before the client does, as it does where a batch has waited for its turn. */
const deadlineMs = 3000;
const draft = { kind: 'run', body: { text: 'x' } } as const;

async function vaulted() {
  const env = fakeEnv();
  const one = await identified(env);
  onTestFinished(() => one[Symbol.asyncDispose]());
  const silent = (is: boolean): void => {
    one.vault.fault = is ? () => true : undefined;
  };
  return { env, one, silent, breakerOf: (name: string) => openBreaker({ name, env, isOutage: isVaultOutage }) };
}

/** What `work` fails with, while the clock moves on; and how far it moved. */
async function fails(env: FakeEnv, work: Promise<unknown>) {
  const from = env.monotonic();
  let error: unknown;
  let over = false;
  work.then(
    () => (over = true),
    (thrown: unknown) => {
      [error, over] = [thrown, true];
    },
  );
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!over) env.advance(20);
  }
  if (!(error instanceof AgovError)) throw error ?? new Error('It did not fail.');
  return { error, ms: env.monotonic() - from };
}

it('costs three batches their deadline, tells the next at once, and takes the first one after Vault is back', async () => {
  const { env, one, silent, breakerOf } = await vaulted();
  one.vault.mounts.set('transit', { type: 'transit', options: null });
  await operate(one.vault, 'POST', 'transit/keys/ledger', { type: 'ed25519' });
  const breaker = breakerOf('signer');
  const signer = guardSigner(vaultSigner({ vault: one.client, mount: 'transit', key: 'ledger', deadlineMs }), breaker);
  const { version, publicKey } = await signer.newest();
  const key = remoteKey(signer, verifierKey('example.com/test', publicKey), version);
  const dir = mkdtempSync(join(tmpdir(), 'agov-breakers-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  await using ledger = await openLedger({ path: join(dir, 'ledger.db'), key, env, ids: idSource(env) });
  await ledger.append(draft);

  silent(true);
  for (let i = 0; i < 3; i++) {
    const { error, ms } = await fails(env, ledger.append(draft));
    expect([error.code, ms >= deadlineMs]).toEqual(['LEDGER_UNAVAILABLE', true]);
  }
  expect(breaker.status()).toMatchObject({ name: 'signer', state: 'open' });
  const asked = one.vault.requests.length;
  const held = await fails(env, ledger.append(draft));
  expect(held.error).toMatchObject({ code: 'LEDGER_UNAVAILABLE', retry: true, details: { breaker: 'signer' } });
  expect([held.ms < 100, one.vault.requests.length]).toEqual([true, asked]);

  // The trial, while it is silent still: one batch, and then none again.
  env.advance(2000);
  expect((await fails(env, ledger.append(draft))).ms).toBeGreaterThanOrEqual(deadlineMs);
  expect((await fails(env, ledger.append(draft))).ms).toBeLessThan(100);
  silent(false);
  env.advance(2000);
  const receipts = await Promise.all([ledger.append(draft), ledger.append(draft)]);
  expect([receipts.length, breaker.status().state]).toEqual([2, 'closed']);
  expect(ledger.verify()).toMatchObject({ ok: true, size: 3 });
});

it('keeps a key that is refused for an answer', async () => {
  const { one, breakerOf } = await vaulted();
  const breaker = breakerOf('signer');
  const signer = guardSigner(vaultSigner({ vault: one.client, mount: 'none', key: 'ledger', deadlineMs }), breaker);
  for (let i = 0; i < 4; i++) await expect(signer.newest()).rejects.toMatchObject({ code: 'KEY_INVALID' });
  expect([breaker.status().state, signer.deadlineMs, signer.place]).toEqual([
    ...['closed', deadlineMs, expect.stringContaining('none/ledger')],
  ]);
});

it('holds enrolments and logins, and lets pass what suspends, restores and revokes', async () => {
  const { env, one, silent, breakerOf } = await vaulted();
  const breaker = breakerOf('secrets');
  const identities = guardIdentities(one.identities, breaker);
  await identities.enroll('bob', 'T1');
  const invitation = await identities.invite('bob', { ttlMs: 900_000 });
  const credential = await identities.accept('bob', await identities.invite('bob', { ttlMs: 60_000 }));
  silent(true);
  for (let i = 0; i < 3; i++) await fails(env, identities.look('bob'));
  silent(false);
  const asked = one.vault.requests.length;
  const held = { code: 'SECRETS_UNAVAILABLE', details: { breaker: 'secrets' } };
  for (const call of [
    ...[() => identities.enroll('eve', 'T1'), () => identities.look('bob')],
    ...[() => identities.invite('bob', { ttlMs: 60_000 }), () => identities.accept('bob', invitation)],
  ]) {
    await expect(call()).rejects.toMatchObject(held);
  }
  expect([one.vault.requests.length, breaker.status().state]).toEqual([asked, 'open']);
  // The first that passes closes it, so each is tried behind an open one.
  const again = async (): Promise<void> => {
    silent(true);
    for (let i = 0; i < 3; i++) await fails(env, identities.look('bob'));
    silent(false);
    expect(breaker.status().state).toBe('open');
  };
  expect(await identities.suspend('bob')).toBe(true);
  await again();
  expect(await identities.restore('bob')).toBe(true);
  await again();
  await credential[Symbol.asyncDispose]();
  expect(breaker.status().state).toBe('open');
  expect(await identities.revokeTier('T1')).toMatchObject({ known: true });
  await again();
  expect(await identities.revoke('bob')).toEqual({ known: true, tokens: 0 });
});
