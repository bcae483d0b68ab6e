/**
 * AES-256-GCM with a fresh 96-bit nonce each time. What a ciphertext is for is bound to it as associated data, so that
 * it opens in no other place: not under another path, not as another version.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { Env } from '../../../kernel/index.ts';

export interface Sealed {
  readonly nonce: Uint8Array;
  /** Ciphertext, then the 16-byte tag. */
  readonly sealed: Uint8Array;
}

export interface Sealer {
  /** Tells this key from another; says nothing else about it. */
  readonly check: Buffer;
  seal(plain: string, purpose: string): Sealed;
  /** Undefined when it was not sealed with this key for this purpose, or was changed since. */
  open(box: Sealed, purpose: string): string | undefined;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

export function sealer(master: Buffer, env: Env): Sealer {
  const key = derive(master, 'agov secrets v1: seal');
  return {
    check: createHmac('sha256', derive(master, 'agov secrets v1: check')).update('key').digest().subarray(0, 16),
    seal(plain, purpose) {
      const nonce = env.random(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(purpose));
      return { nonce, sealed: Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]) };
    },
    open({ nonce, sealed }, purpose) {
      if (nonce.length !== nonceBytes || sealed.length < tagBytes) return undefined;
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(purpose));
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]).toString('utf8');
      } catch {
        // `final` throws for one reason: the tag does not fit. The caller knows what was damaged and says so.
        return undefined;
      }
    },
  };
}

function derive(master: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, '', purpose, 32));
}
