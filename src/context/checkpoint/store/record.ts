/** Whether a checkpoint is the one that was taken: whoever can write the folder can make one, and nobody makes its entry. */
import type { Damage, Read } from '../format/file.ts';

/** What the ledger has of checkpoints. */
export interface Recorded {
  /** Digest of the file, by the id of the checkpoint. */
  readonly taken: ReadonlyMap<string, string>;
  /** Whether there are no others. */
  readonly all: boolean;
}

export function heldToRecord(read: Read, { taken, all }: Recorded): Read {
  // What is damaged is another file than the one on record, and says so already.
  if (read.damage.length > 0) return read;
  const known = taken.get(read.checkpoint.about.id);
  if (known === read.sha256 || (known === undefined && !all)) return read;
  const why =
    known === undefined
      ? 'The ledger has no entry of it: it was killed just then, or somebody else wrote the file.'
      : 'The ledger has another digest: somebody has written the file since.';
  return { ...read, damage: [{ part: 'record', why }] };
}

/** One sentence for whoever is told of it. */
export function damageTold({ part, why }: Damage): string {
  return part === 'record' ? `Not as recorded, do not trust it. ${why}` : `Damaged: ${part}. ${why}`;
}
