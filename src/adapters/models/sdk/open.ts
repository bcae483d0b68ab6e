/** One configured model: a call with its tries, its deadline, and every error told without key and without prompt. */
import { AgovError, type Env, formatDuration, isAgovError, parseDuration } from '../../../kernel/index.ts';
import type { ModelConfig } from '../../../schemas/index.ts';
import type { Model, ModelAnswer, ModelRequest } from '../port.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { gather, toSdk } from './convert.ts';
import { clientFor } from './providers.ts';
import { type Trouble, troubleOf } from './trouble.ts';

/** Many times the longest answer of any model, deltas and their wrapping included. */
const maxBytes = 32 * 1024 * 1024;
const firstPauseMs = 500;

export function openModel(name: string, config: ModelConfig, env: Env): Model {
  const deadlineMs = parseDuration(config.deadline);
  const silenceMs = parseDuration(config.silence);

  async function complete(request: ModelRequest): Promise<ModelAnswer> {
    request.signal.throwIfAborted();
    const stop = new AbortController();
    const giveUp = (): void => stop.abort(request.signal.reason);
    request.signal.addEventListener('abort', giveUp, { once: true });
    using _deadline = env.timer(() => stop.abort(tooSlow(name, deadlineMs)), deadlineMs);
    const until = env.monotonic() + deadlineMs;
    try {
      for (let tries = 1; ; tries++) {
        const came = await attempt(request, stop);
        if ('answer' in came) return came.answer;
        const { trouble, began } = came;
        const pauseMs = trouble.retryAfterMs ?? pause(env, tries);
        const again = trouble.passing && !began && tries <= config.maxRetries && env.monotonic() + pauseMs < until;
        if (!again) throw trouble.error;
        await env.sleep(pauseMs, stop.signal);
      }
    } finally {
      request.signal.removeEventListener('abort', giveUp);
      // What is still open of an answer that nobody reads on.
      stop.abort();
    }
  }

  async function attempt(request: ModelRequest, stop: AbortController): Promise<Attempt> {
    let began = false;
    try {
      const apiKey = request.key?.reveal() ?? '';
      const client = await clientFor(config, { apiKey, fetch: boundedFetch(env, { maxBytes, silenceMs }, stop) });
      const { stream } = await client.doStream({ ...toSdk(request), abortSignal: stop.signal });
      const gathering = gather(request.tools, request.onText);
      for await (const part of stream) {
        if (part.type === 'error') throw part.error;
        began ||= part.type !== 'stream-start' && part.type !== 'response-metadata';
        gathering.add(part);
      }
      stop.signal.throwIfAborted();
      const answer = gathering.answer();
      if (!answer) throw new Error('The stream ended in the middle.');
      return { answer };
    } catch (error) {
      // Whatever the client makes of it: why we stopped is the reason.
      if (stop.signal.aborted) throw stop.signal.reason;
      if (isAgovError(error)) throw error;
      return { trouble: troubleOf(name, error, request.key), began };
    }
  }

  return {
    ...{ name, provider: config.provider, model: config.model, key: config.key, prices: config.prices },
    ...{ context: config.context, maxOutput: config.maxOutput, deadlineMs, complete },
  };
}

type Attempt = { readonly answer: ModelAnswer } | { readonly trouble: Trouble; readonly began: boolean };

/** Half of it is chance, so that many agents do not come back in step. */
function pause(env: Env, tries: number): number {
  const longest = Math.min(firstPauseMs * 2 ** (tries - 1), 30_000);
  return Math.round(longest * (0.5 + (env.random(1)[0] ?? 0) / 512));
}

function tooSlow(name: string, deadlineMs: number): AgovError {
  return new AgovError('MODEL_UNAVAILABLE', {
    what: `Model "${name}" did not finish its answer in ${formatDuration(deadlineMs)}.`,
    fix: 'Try again, or raise "deadline" of the model in agov.yaml.',
    details: { reason: 'deadline' },
  });
}
