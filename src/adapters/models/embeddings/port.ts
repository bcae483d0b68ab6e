/** A model that turns text into a vector: texts that mean alike lie near each other. */
import type { Secret } from '../../../kernel/index.ts';

export interface EmbedRequest {
  readonly key: Secret | undefined;
  readonly signal: AbortSignal;
}

export interface Embedder {
  /** Its name in `agov.yaml`. */
  readonly name: string;
  /** Path of the secret with its key. */
  readonly key: string | undefined;
  readonly deadlineMs: number;
  /**
   * One vector a text, all of one length, in the order of the texts. No error holds the key or a text.
   * @throws MODEL_UNAVAILABLE, MODEL_FAILED, the signal's reason
   */
  embed(texts: readonly string[], request: EmbedRequest): Promise<readonly Float32Array[]>;
}
