/** Reads an exported folder back for the verifier. Nothing in it is believed; what cannot be read is not there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../../kernel/index.ts';
import { tilePath } from '../tree/index.ts';
import {
  hashesAtLevel,
  hashLength,
  type LogSource,
  parseCheckpoint,
  parseNote,
  type StoredEntry,
  tileWidth,
  type VerifierKey,
  type VerifyReport,
  verifyLog,
} from '../verifier/index.ts';

/** Verifies a folder of C2SP tlog-tiles: no ledger and no private key is needed. */
export function verifyExport(
  dir: string,
  keys: readonly VerifierKey[],
  savedHeads: readonly string[] = [],
): VerifyReport {
  return verifyLog(exportedLog(dir), { keys, savedHeads });
}

function exportedLog(dir: string): LogSource {
  const checkpoint = read(join(dir, 'checkpoint'))?.toString('utf8');
  const size = checkpoint === undefined ? 0 : sizeOf(checkpoint);
  return {
    *entries() {
      for (let index = 0; index * tileWidth < size; index++) {
        const width = Math.min(tileWidth, size - index * tileWidth);
        const bundle = read(join(dir, tilePath('entries', index, width)));
        if (bundle === undefined) return;
        yield* unbundle(bundle, index * tileWidth);
      }
    },
    tile(level, index, width) {
      const full = (index + 1) * tileWidth <= hashesAtLevel(size, level);
      const hashes = read(join(dir, tilePath(level, index, full ? tileWidth : width)));
      return hashes?.subarray(0, width * hashLength);
    },
    heads: () => (checkpoint === undefined ? [] : [checkpoint]),
  };
}

/** Entries behind 16-bit lengths; a length that points beyond the end gives what there is, which then does not hash. */
function* unbundle(bundle: Uint8Array, first: number): Generator<StoredEntry> {
  let seq = first;
  for (let at = 0; at + 2 <= bundle.length; seq++) {
    const length = ((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0);
    yield { seq, bytes: bundle.subarray(at + 2, at + 2 + length) };
    at += 2 + length;
  }
}

function sizeOf(note: string): number {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  return checkpoint.ok ? checkpoint.value.size : 0;
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
