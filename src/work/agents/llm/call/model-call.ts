/**
 * One call of a model as an intent: what it may use at most is held in the budget before, the key is leased for it alone,
 * and prompt and answer are kept as artifacts, by digest, with the key taken out.
 */
import type { Model, ModelAnswer, ModelMessage, ModelTool } from '../../../../adapters/models/port.ts';
import type { Secrets } from '../../../../adapters/secrets/port.ts';
import type { Spent } from '../../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../../governance/evidence/index.ts';
import type { Begun, Channel, Effected, End, Governor } from '../../../../governance/governor/index.ts';
import {
  canonicalJson,
  type Env,
  isAgovError,
  type JsonObject,
  messageOf,
  redactor,
  sha256Hex,
} from '../../../../kernel/index.ts';

export interface ModelCallParts {
  readonly env: Env;
  readonly governor: Governor;
  readonly artifacts: Artifacts;
  readonly secrets: () => Promise<Secrets>;
  /** How long it may stay unknown whether the agent may go on. */
  readonly graceMs: number;
}

export interface ModelCall {
  readonly channel: Channel;
  readonly parent: string;
  readonly model: Model;
  readonly step: number;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  readonly maxOutputTokens: number;
  readonly reserve: Required<Spent>;
  readonly signal: AbortSignal;
  onText?(piece: string): void;
}

export type Called =
  | { readonly verdict: 'allow'; readonly answer: ModelAnswer; readonly spent: Required<Spent> }
  | Exclude<Begun, { verdict: 'allow' }>;

/** @throws MODEL_UNAVAILABLE, MODEL_FAILED, SECRETS_UNAVAILABLE, NOT_FOUND for a key that is not there; the signal's reason */
export async function callModel(parts: ModelCallParts, call: ModelCall): Promise<Called> {
  const { governor } = parts;
  const { channel, model, messages, tools, reserve } = call;
  const prompt = canonicalJson({ messages, tools });
  const args = {
    ...{ step: call.step, provider: model.provider, model: model.model, messages: messages.length },
    ...{ prompt: sha256Hex(prompt), bytes: Buffer.byteLength(prompt), maxOutputTokens: call.maxOutputTokens },
  };
  const intent = { action: 'model.call', resource: model.name, args } as const;
  const begun = await governor.begin(channel, intent, { parent: call.parent, reserve });
  if (begun.verdict !== 'allow') return begun;
  try {
    const { value, outcome } = await ask(parts, call, begun.id, prompt);
    await governor.end(channel, begun.id, outcome);
    return { verdict: 'allow', ...value };
  } catch (error) {
    await governor.end(channel, begun.id, failed(error));
    throw error;
  }
}

type Answered = Effected<{ readonly answer: ModelAnswer; readonly spent: Required<Spent> }>;

async function ask(parts: ModelCallParts, call: ModelCall, intent: string, prompt: string): Promise<Answered> {
  const { model, messages, tools, maxOutputTokens } = call;
  await using lease = await leaseKey(parts, call.model, intent);
  const redact = redactor(lease.key === undefined ? [] : [lease.key.reveal()]);
  const shown = showing(redact, call.onText);
  using stop = whileActive(parts, call);
  const told = await model
    .complete({
      ...{ messages, tools, maxOutputTokens, key: lease.key, signal: stop.signal },
      ...(shown ? { onText: shown.piece } : {}),
    })
    .finally(() => shown?.end());
  // A server can send back what it was sent.
  const answer = JSON.parse(redact.text(JSON.stringify(told))) as ModelAnswer;
  const spent = spentOn(call, answer);
  const kept = [
    await parts.artifacts.put('prompt.json', redact.text(prompt)),
    await parts.artifacts.put('answer.json', canonicalJson({ ...answer, carried: undefined })),
  ];
  const facts: JsonObject = {
    ...{ finish: answer.finish, calls: answer.calls.length, ...(answer.usage ? { ...answer.usage } : {}) },
    // Where the provider does not count, what was held for the call counts as used.
    counted: answer.usage !== undefined,
    ...(lease.version === undefined ? {} : { key: lease.version }),
  };
  return { value: { answer, spent }, outcome: { status: 'ok', facts, spent, artifacts: kept } };
}

interface KeyLease extends AsyncDisposable {
  readonly key: Awaited<ReturnType<Secrets['lease']>>['value'] | undefined;
  readonly version?: string;
}

/** By the governor, as what performs the call: no agent's tier reaches the key, and none sees it. */
async function leaseKey(
  { secrets }: ModelCallParts,
  { key: path, deadlineMs }: Model,
  intent: string,
): Promise<KeyLease> {
  if (path === undefined) return { key: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  const store = await secrets();
  const lease = await store.lease(path, { ttlMs: deadlineMs + 10_000, intent });
  return {
    key: lease.value,
    version: `${path}@${lease.version}`,
    // One that lives on is listed by the store with its reason; the answer is there all the same.
    [Symbol.asyncDispose]: () => store.end(lease.id).catch(() => undefined),
  };
}

const lookEveryMs = 1000;

/** The agent or its run may not go on, or its time is over. */
export class Stopped extends Error {}

/** Aborts where the agent or its run may not go on: a connection is no process, so nobody else could cut it. */
function whileActive(parts: ModelCallParts, { channel, signal }: ModelCall): Disposable & { signal: AbortSignal } {
  const { env, governor, graceMs } = parts;
  const over = new AbortController();
  const gone = new AbortController();
  let answered = env.monotonic();
  const look = async (): Promise<void> => {
    const { agent, stopped } = await governor.standing({ agent: channel.agent, run: channel.run });
    answered = env.monotonic();
    const why = stopped ?? (agent?.status === 'active' ? undefined : `Agent "${channel.agent}" is no longer active.`);
    if (why !== undefined) gone.abort(new Stopped(why));
  };
  const keepLooking = async (): Promise<void> => {
    while (!gone.signal.aborted) {
      await env.sleep(lookEveryMs, over.signal);
      await look().catch((error: unknown) => {
        if (env.monotonic() - answered > graceMs) gone.abort(error);
      });
    }
  };
  keepLooking().catch(() => undefined); // ended by the disposal below
  return { signal: AbortSignal.any([signal, gone.signal]), [Symbol.dispose]: () => over.abort() };
}

function showing(redact: ReturnType<typeof redactor>, onText: ModelCall['onText']) {
  if (!onText) return undefined;
  const stream = redact.stream();
  const decoder = new TextDecoder();
  stream.on('data', (chunk: Buffer) => onText(decoder.decode(chunk, { stream: true })));
  return { piece: (text: string): void => void stream.write(Buffer.from(text)), end: (): void => void stream.end() };
}

function spentOn({ model, reserve }: ModelCall, { usage }: ModelAnswer): Required<Spent> {
  if (!usage) return reserve;
  const { prices } = model;
  const money = prices ? Math.ceil(usage.input * prices.input + usage.output * prices.output) : 0;
  return { tokens: usage.input + usage.output, moneyMicros: money };
}

/** A server that refused has used nothing; of one that broke off nobody knows, and what was held counts. */
function failed(error: unknown): End {
  const refused = isAgovError(error) && typeof error.details?.['status'] === 'number';
  const reason = (isAgovError(error) ? [error.what, error.why].filter(Boolean).join(' ') : messageOf(error)).slice(
    0,
    2000,
  );
  return { status: 'failed', reason, facts: {}, ...(refused ? { spent: { tokens: 0, moneyMicros: 0 } } : {}) };
}
