/** C2SP tlog-tiles: where a tile or an entry bundle lies. */
import { tileWidth } from '../verifier/index.ts';

/** `x001/x234/067` for 1234067. */
export function tileIndexPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
}

/** `tile/0/000`, `tile/entries/x001/067.p/12`; `width` is the number of hashes or entries in it. */
export function tilePath(level: number | 'entries', index: number, width: number): string {
  return `tile/${level}/${tileIndexPath(index)}${width === tileWidth ? '' : `.p/${width}`}`;
}
