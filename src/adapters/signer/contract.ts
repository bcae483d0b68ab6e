/** What every signer holds to, whichever service keeps the key. */
import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Signer, SignerKey } from './port.ts';

export interface SignerFixture extends AsyncDisposable {
  readonly signer: Signer;
  /** Gives the key a further version, as its operator does. */
  rotate(): Promise<void>;
}

export function signerContract(name: string, open: () => Promise<SignerFixture>): void {
  describe(`${name} keeps the signer contract`, () => {
    let fixture: SignerFixture;
    let signer: Signer;
    beforeAll(async () => {
      fixture = await open();
      signer = fixture.signer;
    });
    afterAll(() => fixture[Symbol.asyncDispose]());

    it('signs texts so that its public key verifies them, and only them', async () => {
      const key = await signer.newest();
      for (const text of ['example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n', '', 'é\u{1f600}\n']) {
        const signature = await signer.sign(text, key.version);
        expect(signature).toHaveLength(64);
        expect([verified(key, text, signature), verified(key, `${text}x`, signature)]).toEqual([true, false]);
      }
    });

    it('signs the same text alike each time, since a ledger asks again for a head that it did not get', async () => {
      const { version } = await signer.newest();
      expect(await signer.sign('again\n', version)).toEqual(await signer.sign('again\n', version));
    });

    it('signs with the version that is asked for, after the key was rotated too', async () => {
      const before = await signer.newest();
      await fixture.rotate();
      const after = await signer.newest();
      expect(after.version).toBe(before.version + 1);
      expect(after.publicKey).not.toEqual(before.publicKey);
      for (const key of [before, after]) {
        expect(verified(key, 'one\n', await signer.sign('one\n', key.version))).toBe(true);
      }
    });

    it('tells which version a public key is of', async () => {
      const { version, publicKey } = await signer.newest();
      await fixture.rotate();
      expect(await signer.versionOf(publicKey)).toBe(version);
      expect(await signer.versionOf((await signer.newest()).publicKey)).toBe(version + 1);
      expect(await signer.versionOf(publicKey.map((byte) => byte ^ 1))).toBeUndefined();
    });

    it('refuses a version that is not there', async () => {
      await expect(signer.sign('one\n', 1000)).rejects.toMatchObject({ code: 'KEY_INVALID', fix: expect.any(String) });
    });

    it('stops when it is told to', async () => {
      const stopped = AbortSignal.abort(new Error('stopped'));
      await expect(signer.sign('one\n', 1, stopped)).rejects.toThrow('stopped');
    });

    it('says where the key is', () => {
      expect(signer.place).toMatch(/ledger/);
    });
  });
}

function verified({ publicKey }: SignerKey, text: string, signature: Uint8Array): boolean {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') };
  return verify(null, Buffer.from(text), createPublicKey({ key: jwk, format: 'jwk' }), signature);
}
