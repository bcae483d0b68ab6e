/** What went wrong with a call, in our words; the server's own are bounded, and the key taken out of them. */
import { AgovError, redactor, type Secret } from '../../../kernel/index.ts';

export interface Trouble {
  readonly error: AgovError;
  /** Whether the same call may succeed later. */
  readonly passing: boolean;
  /** What the server asks us to wait. */
  readonly retryAfterMs?: number;
}

/** What the AI SDK's errors have, whichever package threw them: two copies of one class would not know each other. */
interface Told {
  readonly statusCode?: unknown;
  readonly isRetryable?: unknown;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly responseBody?: unknown;
  readonly message?: unknown;
}

const longestWords = 300;

export function troubleOf(name: string, thrown: unknown, key: Secret | undefined): Trouble {
  const told: Told = typeof thrown === 'object' && thrown !== null ? thrown : { message: String(thrown) };
  const status = typeof told.statusCode === 'number' ? told.statusCode : undefined;
  const words = wordsOf(told, key);
  const passing = status === undefined ? told.isRetryable === true : isPassing(status);
  const details = status === undefined ? {} : { details: { status } };
  if (passing) {
    const what = `Model "${name}" does not answer${status === undefined ? '' : ` (HTTP ${status})`}.`;
    const error = new AgovError('MODEL_UNAVAILABLE', { what, why: words, fix: 'Try again later.', ...details });
    const wait = retryAfter(told.responseHeaders);
    return { error, passing, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
  }
  if (status === undefined) {
    const what = `Model "${name}" answered with what is no answer.`;
    const fix = 'Look at the server, and at "baseUrl" and "provider" of the model in agov.yaml.';
    return { error: new AgovError('MODEL_FAILED', { what, why: words, fix }), passing };
  }
  const what = `Model "${name}" refuses the request (HTTP ${status}).`;
  return { error: new AgovError('MODEL_FAILED', { what, why: words, fix: fixFor(status), ...details }), passing };
}

function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function fixFor(status: number): string {
  if (status === 401 || status === 403) return 'Look at the secret that "key" of the model in agov.yaml names.';
  if (status === 404) return 'Look at "model" and "baseUrl" of the model in agov.yaml.';
  return 'The provider’s words say what it does not take.';
}

/** The message alone: the errors of the SDK hold the whole request besides, and with it the prompt. */
function wordsOf({ message, responseBody }: Told, key: Secret | undefined): string {
  const text = [message, responseBody].find((one) => typeof one === 'string' && one.trim() !== '');
  const line = String(text ?? 'No reason was given.').replaceAll(/\s+/g, ' ');
  const clean = key === undefined ? line : redactor([key.reveal()]).text(line);
  return clean.length > longestWords ? `${clean.slice(0, longestWords)}…` : clean;
}

/** Seconds, or milliseconds where the provider says so. A date would need clocks that agree, and is let be. */
function retryAfter(headers: Readonly<Record<string, string>> = {}): number | undefined {
  const [ms, seconds] = [Number(headers['retry-after-ms'] ?? Number.NaN), Number(headers['retry-after'] ?? Number.NaN)];
  const wait = Number.isFinite(ms) ? ms : seconds * 1000;
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}
