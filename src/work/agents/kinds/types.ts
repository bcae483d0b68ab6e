/** What every kind of agent is run with, and what comes of it: a process, a language model, a function. */
import type { Writable } from 'node:stream';
import type { Acted, BeginOptions, Channel } from '../../../governance/governor/index.ts';
import type { Json, JsonObject } from '../../../kernel/index.ts';
import type { AgentDefinition, ArtifactRef } from '../../../schemas/index.ts';

/** As it was read from its file. */
export interface Definition {
  readonly value: AgentDefinition;
  /** The file's own bytes, kept as an artifact. */
  readonly text: string;
  /** Absolute. */
  readonly file: string;
  /** Of a model, where the definition names a file for them. */
  readonly instructions?: string;
}

export interface AgentJob {
  readonly channel: Channel;
  readonly definition: Definition;
  readonly task: string;
  readonly input: JsonObject | undefined;
  readonly begin: BeginOptions;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  /** What it says, as it comes. */
  readonly stdout?: Writable;
  /** What it does. */
  readonly stderr?: Writable;
}

export interface AgentResult {
  /** How it ended, in the kind's own word; `finished` is well. */
  readonly end: string;
  readonly exitCode: number;
  readonly reason?: string;
  readonly text: string;
  readonly output?: Json;
  readonly artifacts: readonly ArtifactRef[];
  /** What it waits for. */
  readonly asked?: { readonly approval: string; readonly intent: string };
}

/** Its one intent below `begin.parent` is the whole of the run; an artifact `output` holds its structured answer. */
export type Kind = (job: AgentJob) => Promise<Acted<AgentResult>>;
export type KindName = keyof AgentDefinition['runs'];
/** By the key of `runs` in a definition. */
export type Kinds = Partial<Readonly<Record<KindName, Kind>>>;
