/** C2SP tlog-proof: one text that proves, offline, that an entry is in the log under a signed checkpoint. */
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { hashLeaf, hashLength, verifyInclusion } from './merkle.ts';
import type { VerifierKey } from './note.ts';
import { decodeBase64, decodeDecimal, type Parsed, parsed, refused } from './parsed.ts';

const header = 'c2sp.org/tlog-proof@v1';

export interface TlogProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
  /** Carried along and covered by no signature: never to be trusted by itself. */
  readonly extra?: Uint8Array;
}

export function formatTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  const lines = [
    header,
    ...(extra ? [`extra ${Buffer.from(extra).toString('base64')}`] : []),
    `index ${index}`,
    ...hashes.map((node) => Buffer.from(node).toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

export function parseTlogProof(text: string): Parsed<TlogProof> {
  const split = text.indexOf('\n\n');
  if (split < 0) return refused('The proof has no blank line before its checkpoint.');
  const lines = text.slice(0, split).split('\n');
  if (lines.shift() !== header) return refused(`The proof does not begin with ${header}.`);

  const extra = lines[0]?.startsWith('extra ') ? decodeBase64(lines[0].slice(6)) : null;
  if (extra === undefined) return refused('The extra data of the proof is not base64.');
  if (extra !== null) lines.shift();

  const indexLine = lines.shift() ?? '';
  const index = indexLine.startsWith('index ') ? decodeDecimal(indexLine.slice(6)) : undefined;
  if (index === undefined) return refused('The proof has no index.');

  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const node = decodeBase64(line);
    if (node?.length !== hashLength) return refused('A hash of the proof is not a SHA-256 in base64.');
    hashes.push(node);
  }
  return parsed({ index, hashes, checkpoint: text.slice(split + 2), ...(extra ? { extra } : {}) });
}

export interface ProvenEntry {
  readonly index: number;
  readonly checkpoint: Checkpoint;
}

/** Where in which log `entry` is, by a proof whose checkpoint one of `keys` signed. */
export function verifyTlogProof(text: string, entry: Uint8Array, keys: readonly VerifierKey[]): Parsed<ProvenEntry> {
  const proof = parseTlogProof(text);
  if (!proof.ok) return proof;
  const { index, hashes } = proof.value;
  const checkpoint = openCheckpoint(proof.value.checkpoint, keys);
  if (!checkpoint.ok) return checkpoint;
  const { size, root } = checkpoint.value;
  if (!verifyInclusion({ leaf: hashLeaf(entry), index, size, root, proof: hashes })) {
    return refused(`The entry is not at ${index} under this checkpoint.`);
  }
  return parsed({ index, checkpoint: checkpoint.value });
}
