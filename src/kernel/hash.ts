/** SHA-256, and comparison that takes the same time whatever differs. */
import { hash, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from './json.ts';

/** Lower-case hex SHA-256 of `data` (text as UTF-8). */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/** Lower-case hex SHA-256 of the canonical JSON of `value`. */
export function canonicalHash(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}

/** Whether two texts are the same, in time that depends on neither's content. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
