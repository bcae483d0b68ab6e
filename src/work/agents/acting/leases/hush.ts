/**
 * What a process was leased must not go on record by what it asks: intents, values and answers are kept for good, and
 * unlike its output they are its own words. Taken out where only the record would hold it, refused where it would act.
 */
import { AgovError, type Json, type Redactor, redactor } from '../../../../kernel/index.ts';

export interface Hush {
  /** @throws INPUT_INVALID where it holds one */
  refuse(operation: string, input: unknown): void;
  /** Without them, in all its texts. */
  clean(input: unknown): unknown;
}

/** Shorter ones would be found in what everybody writes, and nobody could ask for anything. */
const leastRefused = 8;

export function hush(values: readonly string[] = []): Hush | undefined {
  if (values.length === 0) return undefined;
  const all = redactor(values);
  const long = redactor(values.filter((value) => value.length >= leastRefused));
  return {
    clean: (input) => cleaned(all, input as Json), // it was read as JSON
    refuse(operation, input) {
      const text = JSON.stringify(input) ?? '';
      if (long.text(text) === text) return;
      throw new AgovError('INPUT_INVALID', {
        what: `What was asked of ${operation} holds a secret that this process was leased.`,
        why: 'It would go on record, where it cannot be taken out.',
        fix: 'Give a command its secret by "secrets", as the path; write a file by yourself.',
      });
    },
  };
}

/** Keys of the outermost object are the operation's own. */
function cleaned(redact: Redactor, value: Json, outermost = true): Json {
  if (typeof value === 'string') return redact.text(value);
  if (Array.isArray(value)) return value.map((one) => cleaned(redact, one, false));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      outermost ? key : redact.text(key),
      cleaned(redact, one ?? null, false),
    ]),
  );
}
