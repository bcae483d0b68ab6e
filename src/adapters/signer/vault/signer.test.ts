/** The signer over a fake Vault with real keys, over recorded exchanges, and over a Vault that is away or lies. */
import { createPublicKey, verify } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recorded, refusal } from '../../../../test/support/vault/index.ts';
import { type OpenedTransit, openedTransit, operate } from '../../../../test/support/vault/transit.ts';
import { signerContract } from '../contract.ts';

signerContract('Vault (fake, real keys)', async () => {
  const opened = await openedTransit();
  return {
    signer: opened.signer,
    rotate: () => operate(opened.vault, 'POST', 'transit/keys/ledger/rotate'),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
});

let one: OpenedTransit;
beforeEach(async () => {
  one = await openedTransit({ deadlineMs: 800 });
});
afterEach(() => one[Symbol.asyncDispose]());

function answer(status: number, body: unknown) {
  return (path: string, response: ServerResponse): boolean => {
    if (!path.startsWith('transit/') && path !== 'sys/health') return false;
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    return true;
  };
}

const signature = (version: number, bytes: number): unknown => ({
  data: { signature: `vault:v${version}:${Buffer.alloc(bytes, 1).toString('base64')}` },
});

it('reads what a real Vault has answered, and its signature verifies', async () => {
  one.vault.fault = (path, response) =>
    answer(200, recorded(path.includes('/sign/') ? 'sign' : 'key (public part)').body)(path, response);
  const { version, publicKey } = await one.signer.newest();
  const signed = await one.signer.sign('hello', version);
  const key = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') };
  expect(verify(null, Buffer.from('hello'), createPublicKey({ key, format: 'jwk' }), signed)).toBe(true);
});

it('asks for the version by its number, in one request', async () => {
  let body = '';
  one.vault.fault = (path, response, request) => {
    body = path.includes('/sign/') ? String(request.headers['content-length']) : body;
    return answer(200, signature(1, 64))(path, response);
  };
  await one.signer.sign('hello', 1);
  expect(body).toBe(String(JSON.stringify({ input: 'aGVsbG8=', key_version: 1 }).length));
  expect(one.vault.requests.filter(({ path }) => path.startsWith('transit/sign'))).toHaveLength(1);
});

describe('a Vault that is away', () => {
  it.each([
    ['sealed', 'sealed', () => Object.assign(one.vault, { sealed: true })],
    ['failing', 'engine', () => Object.assign(one.vault, { fault: answer(500, { errors: ['internal error'] }) })],
    ['no Vault at all', 'garbage', () => Object.assign(one.vault, { fault: answer(200, '<html>hello</html>') })],
    ['silent', 'deadline', () => Object.assign(one.vault, { fault: () => true })],
  ])('%s: the ledger is unavailable, within the deadline, and back without a restart', async (_name, reason, harm) => {
    await one.signer.sign('before\n', 1);
    harm();
    const began = performance.now();
    const error = await refusal(one.signer.sign('during\n', 1));
    expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE', details: { reason }, why: expect.any(String) });
    expect(performance.now() - began).toBeLessThan(1500);
    Object.assign(one.vault, { sealed: false, fault: undefined });
    expect(await one.signer.sign('after\n', 1)).toHaveLength(64);
  });

  it('names the path and the capability that the token lacks', async () => {
    one.vault.tokens.policies.set('weak', { 'transit/keys/ledger': ['read'] });
    for (const token of one.vault.tokens.live.values()) Object.assign(token, { policy: 'weak' });
    await one.signer.newest();
    const error = await refusal(one.signer.sign('x\n', 1));
    expect(error).toMatchObject({ code: 'LEDGER_UNAVAILABLE', details: { reason: 'capability' } });
    expect(error.fix).toContain('path "transit/sign/ledger"');
  });
});

describe('an answer that is no signature of ours', () => {
  it.each([
    ['of a later version', signature(2, 64), 'KEY_INVALID'],
    ['too short', signature(1, 63), 'LEDGER_UNAVAILABLE'],
    ['too long', signature(1, 65), 'LEDGER_UNAVAILABLE'],
    ['without a version', { data: { signature: Buffer.alloc(64).toString('base64') } }, 'LEDGER_UNAVAILABLE'],
    ['of version 0', signature(0, 64), 'LEDGER_UNAVAILABLE'],
    ['in another spelling', { data: { signature: `vault:v1:${'_'.repeat(86)}==` } }, 'LEDGER_UNAVAILABLE'],
    ['missing', { data: {} }, 'LEDGER_UNAVAILABLE'],
  ])('%s', async (_name, body, code) => {
    one.vault.fault = answer(200, body);
    expect(await refusal(one.signer.sign('x\n', 1))).toMatchObject({ code });
  });
});

describe('a key that cannot sign the ledger', () => {
  it('of another type', async () => {
    await using other = await openedTransit({ type: 'ecdsa-p256' });
    expect(await refusal(other.signer.newest())).toMatchObject({
      code: 'KEY_INVALID',
      why: expect.stringContaining('ecdsa-p256'),
    });
  });

  it('that is not there, and a mount that is not there', async () => {
    await operate(one.vault, 'DELETE', 'transit/keys/ledger');
    expect(await refusal(one.signer.newest())).toMatchObject({
      code: 'KEY_INVALID',
      fix: expect.stringMatching('type=ed25519'),
    });
    expect(await refusal(one.signer.sign('x\n', 1))).toMatchObject({
      code: 'KEY_INVALID',
      why: expect.stringContaining('signing key not found'),
    });
    one.vault.mounts.delete('transit');
    expect(await refusal(one.signer.newest())).toMatchObject({
      code: 'KEY_INVALID',
      why: expect.stringContaining('unsupported path'),
    });
  });

  it('whose public key is none', async () => {
    const data = { type: 'ed25519', latest_version: 1, keys: { 1: { public_key: 'AAAA' } } };
    one.vault.fault = answer(200, { data });
    expect(await refusal(one.signer.newest())).toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      details: { reason: 'garbage' },
    });
  });
});
