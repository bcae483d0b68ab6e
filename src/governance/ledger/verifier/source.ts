/** A log as the verifier reads it, be it a database, an exported folder or a server. None of it is trusted. */

export interface StoredEntry {
  /** The position that the storage gives it, from 0. */
  readonly seq: number;
  /** The entry's canonical JSON, whose hash is the leaf. */
  readonly bytes: Uint8Array;
  /** The leaf hash stored beside it, where there is one. */
  readonly leaf?: Uint8Array;
  /** What the storage says of the entry in columns that searches use. Each must be the entry's own member. */
  readonly columns?: Readonly<Record<string, string | null>>;
}

export interface LogSource {
  /** All entries by position. */
  entries(): Iterable<StoredEntry>;
  /** The first `width` hashes of a stored tile, concatenated, or undefined where there is none. */
  tile(level: number, index: number, width: number): Uint8Array | undefined;
  /** Signed notes, in any order. The newest must cover every entry. */
  heads(): Iterable<string>;
}
