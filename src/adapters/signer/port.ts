/**
 * Signs with an Ed25519 key that never comes to this process. Nothing that comes back is believed: whoever asks verifies
 * it with the public key that they know.
 */
export interface Signer {
  /** Which key, and where, for people. */
  readonly place: string;
  /** Within how many milliseconds each call ends. */
  readonly deadlineMs: number;
  /** @throws AgovError KEY_INVALID for a key that is not there or not Ed25519, LEDGER_UNAVAILABLE, what the store throws */
  newest(signal?: AbortSignal): Promise<SignerKey>;
  /** The version that has these 32 raw bytes as its public part; undefined where none has. @throws the same */
  versionOf(publicKey: Uint8Array, signal?: AbortSignal): Promise<number | undefined>;
  /** The 64 bytes over `text`, by that version of the key and no other. @throws the same */
  sign(text: string, version: number, signal?: AbortSignal): Promise<Uint8Array>;
}

export interface SignerKey {
  readonly version: number;
  /** The 32 raw bytes. */
  readonly publicKey: Uint8Array;
}
