/** Embeddings by the protocol of OpenAI (`POST /embeddings`), which most servers of models speak. */
import { z } from 'zod';
import { AgovError, type Env, messageOf, parseDuration } from '../../../kernel/index.ts';
import type { ModelConfig } from '../../../schemas/index.ts';
import { boundedFetch } from '../sdk/bounded-fetch.ts';
import type { Embedder } from './port.ts';

const maxBytes = 64 * 1024 * 1024;
const mostDimensions = 16_384;
const ownAddress = 'https://api.openai.com/v1';

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()).min(1).max(mostDimensions) })),
});

/** @throws CONFIG_INVALID where the model's provider has no such call */
export function openEmbedder(name: string, config: ModelConfig, env: Env): Embedder {
  const { provider, model, baseUrl = ownAddress, silence, deadline, key } = config;
  if (provider !== 'openai' && provider !== 'openai-compatible') {
    throw new AgovError('CONFIG_INVALID', {
      what: `The model "${name}" cannot be used for embeddings.`,
      why: `The provider ${provider} is not asked for them.`,
      fix: 'Name a model of the provider openai or openai-compatible under memory.embeddings.',
    });
  }
  return {
    ...{ name, key, deadlineMs: parseDuration(deadline) },
    async embed(texts, { key: secret, signal }) {
      const stop = new AbortController();
      const ask = boundedFetch(env, { maxBytes, silenceMs: parseDuration(silence) }, stop);
      try {
        const response = await ask(`${baseUrl.replace(/\/$/, '')}/embeddings`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(secret === undefined ? {} : { authorization: `Bearer ${secret.reveal()}` }),
          },
          body: JSON.stringify({ model, input: texts, encoding_format: 'float' }),
          signal,
        });
        if (!response.ok) {
          await response.body?.cancel();
          throw refused(name, response.status);
        }
        return vectorsOf(name, await response.json(), texts.length);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (stop.signal.aborted) throw stop.signal.reason;
        if (error instanceof AgovError) throw error;
        throw new AgovError('MODEL_UNAVAILABLE', {
          what: `The model "${name}" does not answer.`,
          why: messageOf(error),
        });
      }
    },
  };
}

function vectorsOf(name: string, answer: unknown, count: number): readonly Float32Array[] {
  const parsed = answerSchema.safeParse(answer);
  const data = parsed.success ? [...parsed.data.data].sort((a, b) => a.index - b.index) : [];
  const length = data[0]?.embedding.length;
  if (data.length === count && data.every(({ index, embedding }, i) => index === i && embedding.length === length))
    return data.map(({ embedding }) => Float32Array.from(embedding));
  throw new AgovError('MODEL_FAILED', {
    what: `The model "${name}" answered with what are no ${count} vectors of one length.`,
    fix: 'Look at "model" and "baseUrl" of it in agov.yaml.',
  });
}

function refused(name: string, status: number): AgovError {
  const busy = status === 429 || status >= 500;
  return new AgovError(busy ? 'MODEL_UNAVAILABLE' : 'MODEL_FAILED', {
    what: `The server of the model "${name}" answered ${status}.`,
    fix: busy ? 'Try again later.' : 'Look at "model", "baseUrl" and "key" of it in agov.yaml.',
  });
}
