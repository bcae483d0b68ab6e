/** A language model that agents may ask, as the operator set it up in `agov.yaml`. */
import { z } from 'zod';
import { durationPattern } from '../../kernel/index.ts';

const duration = z.string().regex(durationPattern, 'write a whole number and a unit: 500ms, 30s, 15m');

/** Plain http shows the key and the prompt to whoever is on the way. */
const isPrivate = (text: string): boolean =>
  text.startsWith('https:') || /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:\/|$)/.test(text);

export const modelProviders = ['anthropic', 'openai', 'google', 'openai-compatible'] as const;

export const modelSchema = z
  .strictObject({
    provider: z
      .enum(modelProviders)
      .describe('Whose protocol is spoken; `openai-compatible` is any server with `/chat/completions`.'),
    model: z.string().min(1).max(200).describe('The provider’s own name of the model.'),
    baseUrl: z
      .string()
      .regex(/^https?:\/\/[^\s?#@]+$/, 'write scheme, host and path: https://models.example/v1')
      .refine((text) => URL.canParse(text), 'is no URL')
      .refine(isPrivate, 'use https: plain http is for this machine alone (127.0.0.1, localhost, [::1])')
      .optional()
      .describe('Address of the API. Needed for `openai-compatible`; otherwise the provider’s own.'),
    key: z
      .string()
      .regex(/^[a-z0-9_.-]{1,64}(?:\/[a-z0-9_.-]{1,64}){0,7}$/, 'write a secret’s path, such as models/main')
      .optional()
      .describe('Path of the secret that holds the API key. Leased by the governor for each call; no agent sees it.'),
    prices: z
      .strictObject({ input: z.number().min(0).max(1_000_000), output: z.number().min(0).max(1_000_000) })
      .optional()
      .describe('What a million tokens cost, in the currency of the budgets. A budget of money needs them.'),
    context: z.int().min(1000).max(100_000_000).default(128_000).describe('Tokens that the model takes in.'),
    maxOutput: z.int().min(16).max(1_000_000).default(4096).describe('Tokens that one answer may have.'),
    deadline: duration.default('3m').describe('How long one call may take, its retries included.'),
    silence: duration.default('60s').describe('How long the model may send nothing before a call is given up.'),
    maxRetries: z.int().min(0).max(10).default(2).describe('Tries after the first while the server is busy or away.'),
  })
  .superRefine(({ provider, baseUrl, key }, context) => {
    if (provider === 'openai-compatible' && baseUrl === undefined)
      context.addIssue({ code: 'custom', path: ['baseUrl'], message: 'is needed for openai-compatible' });
    if (provider !== 'openai-compatible' && key === undefined)
      context.addIssue({ code: 'custom', path: ['key'], message: `is needed for ${provider}` });
  });
export type ModelConfig = z.infer<typeof modelSchema>;
