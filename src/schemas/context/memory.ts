/** What the memory keeps and with what it works, as the operator set it up in `agov.yaml`. */
import { z } from 'zod';
import { durationPattern } from '../../kernel/index.ts';
import { nameSchema } from '../names.ts';

export const onSecretSchema = z.enum(['redact', 'refuse']);
export const encodings = ['o200k_base', 'cl100k_base'] as const;

export const memoryConfigSchema = z.strictObject({
  onSecret: onSecretSchema
    .default('redact')
    .describe('What becomes of content with a secret in it: the secret is taken out, or nothing is logged.'),
  embeddings: nameSchema
    .optional()
    .describe(
      'Name of the model under `models` that `agov memory search --semantic` asks; what is logged is sent to it.',
    ),
  summaries: nameSchema
    .optional()
    .describe(
      'Name of the model under `models` that writes the summaries of `agov memory fetch --summary`; what is summed up is sent to it. Without it, or where it does not answer, they are sentences of the content.',
    ),
  gcEvery: z
    .string()
    .regex(durationPattern, 'write a whole number and a unit: 500ms, 30s, 15m')
    .default('10m')
    .describe('How often `agov serve` takes from the memory what has expired and indexes what is still to be.'),
  teams: z
    .record(nameSchema, z.array(nameSchema).max(1000))
    .default({})
    .describe('Agents that share the space `team/NAME` of the memory (`release: [builder, reviewer]`).'),
});

export const tokensConfigSchema = z.strictObject({
  encoding: z
    .enum(encodings)
    .default('o200k_base')
    .describe('How text is counted in tokens: the encoding of the models that read it.'),
});
