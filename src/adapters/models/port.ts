/**
 * A language model. It is told a conversation and what it may ask for, and answers; it does nothing by itself, and what
 * it asks for is judged elsewhere.
 */
import type { Json, JsonObject, Secret } from '../../kernel/index.ts';

export interface ModelToolCall {
  /** By which its result is told. */
  readonly id: string;
  readonly name: string;
  /** What the model wrote for arguments; seldom, no JSON. */
  readonly input: string;
}

export type ModelMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly calls: readonly ModelToolCall[];
      /** The adapter's own form of this message, signatures of the provider included; nobody else reads it. */
      readonly carried?: Json;
    }
  | { readonly role: 'tool'; readonly call: string; readonly name: string; readonly text: string };

export interface ModelTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly input: JsonObject;
}

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  readonly maxOutputTokens: number;
  readonly key: Secret | undefined;
  readonly signal: AbortSignal;
  /** Called with each piece of text as it comes. */
  onText?(piece: string): void;
}

export interface ModelUsage {
  readonly input: number;
  readonly output: number;
}

export interface ModelAnswer {
  readonly text: string;
  readonly calls: readonly ModelToolCall[];
  /** Undefined where the provider does not tell. */
  readonly usage: ModelUsage | undefined;
  /** `length`: cut at `maxOutputTokens`; `refused`: by the model or a filter of its provider. */
  readonly finish: 'stop' | 'calls' | 'length' | 'refused';
  readonly carried?: Json;
}

export interface Model {
  /** Its name in `agov.yaml`. */
  readonly name: string;
  readonly provider: string;
  /** The provider's name of it. */
  readonly model: string;
  /** Path of the secret with its key. */
  readonly key: string | undefined;
  readonly context: number;
  readonly maxOutput: number;
  readonly deadlineMs: number;
  /** For a million tokens. */
  readonly prices: ModelUsage | undefined;
  /**
   * One answer, whole: half of one is a failure. Bounded in bytes, in silence and in time. No error holds the key or the
   * prompt.
   * @throws MODEL_UNAVAILABLE where the server is busy, away or too slow; MODEL_FAILED where it refuses the request or
   * answers with what is no answer; the signal's reason when that aborts
   */
  complete(request: ModelRequest): Promise<ModelAnswer>;
}
