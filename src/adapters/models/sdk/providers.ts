/** The AI SDK's clients, each loaded when a model of its provider is first asked: one takes a tenth of a second. */
import type { ModelConfig } from '../../../schemas/index.ts';
import type { SdkModel } from './convert.ts';

export interface ClientOptions {
  /** A text where the server wants none: without one the SDK would look for a key in the environment. */
  readonly apiKey: string;
  readonly fetch: typeof fetch;
}

// Written out, since the SDK would otherwise take an address from the environment.
const addresses = {
  anthropic: 'https://api.anthropic.com/v1',
  openai: 'https://api.openai.com/v1',
  google: 'https://generativelanguage.googleapis.com/v1beta',
} as const;

export async function clientFor(
  { provider, model, baseUrl }: Pick<ModelConfig, 'provider' | 'model' | 'baseUrl'>,
  { apiKey, fetch }: ClientOptions,
): Promise<SdkModel> {
  switch (provider) {
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return createAnthropic({ apiKey, baseURL: baseUrl ?? addresses.anthropic, fetch })(model);
    }
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai');
      return createOpenAI({ apiKey, baseURL: baseUrl ?? addresses.openai, fetch }).responses(model);
    }
    case 'google': {
      const { createGoogle } = await import('@ai-sdk/google');
      return createGoogle({ apiKey, baseURL: baseUrl ?? addresses.google, fetch })(model);
    }
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const headers = apiKey === '' ? {} : { apiKey };
      return createOpenAICompatible({
        name: 'compatible',
        baseURL: baseUrl ?? '',
        includeUsage: true,
        fetch,
        ...headers,
      })(model);
    }
  }
}
