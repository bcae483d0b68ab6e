/** Asking a model, where there is one: whatever comes of it, the agent's own result stands without. */
import type { Agent, Json } from '../../../../agent-client/index.ts';

/** What a function is started with, its input as its own shape has it. */
export interface Given<Input> {
  readonly task: string;
  readonly input: Input;
  /** Whether there is a model to ask. */
  readonly model: boolean;
  readonly signal: AbortSignal;
}

export type Advised<T> = { readonly answer: T } | { readonly none: string };

export interface Wanted {
  readonly prompt: string;
  readonly data: Json;
  readonly schema: Json;
}

/** The answer has the shape of `schema`, which the governor has checked: `T` must say the same. */
export async function advise<T>(
  agent: Agent,
  { model, signal }: Pick<Given<unknown>, 'model' | 'signal'>,
  wanted: Wanted,
): Promise<Advised<T>> {
  if (!model) return { none: 'no model' };
  const { end, output, reason } = await agent.ask(wanted, { signal });
  if (end === 'finished') return { answer: output as T };
  return { none: reason ?? end };
}

/** A report as JSON has no `undefined`, and the client takes JSON alone. */
export function asJson(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
