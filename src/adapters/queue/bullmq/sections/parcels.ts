/** Bytes in pieces that no call is held up by; the list of them comes last, so that what has one is whole. */
import { AgovError } from '../../../../kernel/index.ts';
import type { Parcels } from '../../port.ts';
import type { Server } from '../connection.ts';

const pieceBytes = 512 * 1024;
const sha256 = /^[0-9a-f]{64}$/;

export function parcelsOn({ redis, within }: Server, prefix: string): Parcels {
  const keyOf = (digest: string, piece: number | 'pieces'): string => {
    if (!sha256.test(digest)) throw new AgovError('INPUT_INVALID', { what: 'A parcel has no digest for a name.' });
    return `${prefix}:parcel:${digest}:${piece}`;
  };
  return {
    async put(digest, bytes, ttlMs) {
      const pieces = Math.ceil(bytes.length / pieceBytes);
      for (let i = 0; i < pieces; i++) {
        const piece = Buffer.from(bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes));
        await within(redis.set(keyOf(digest, i), piece, 'PX', ttlMs));
      }
      await within(redis.set(keyOf(digest, 'pieces'), String(pieces), 'PX', ttlMs));
    },
    async get(digest) {
      const told = await within(redis.get(keyOf(digest, 'pieces')));
      if (told === null || !/^\d{1,4}$/.test(told)) return undefined;
      const pieces: Buffer[] = [];
      for (let i = 0; i < Number(told); i++) {
        const piece = await within(redis.getBuffer(keyOf(digest, i)));
        if (piece === null) return undefined;
        pieces.push(piece);
      }
      return Buffer.concat(pieces);
    },
  };
}
