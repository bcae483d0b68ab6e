/** JSON values, and the canonical form (RFC 8785) whose bytes are hashed, signed and approved. */
import canonicalize from 'canonicalize';
import { AgovError, messageOf } from './errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/**
 * RFC 8785 text of `value`. Members that are `undefined` are left out.
 * @throws AgovError INPUT_INVALID for what JSON cannot hold: NaN, infinities, lone surrogates, functions, cycles.
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (error) {
    throw new AgovError('INPUT_INVALID', {
      what: 'A value has no canonical JSON form.',
      why: messageOf(error),
      cause: error,
    });
  }
  if (text === undefined) {
    throw new AgovError('INPUT_INVALID', {
      what: 'A value has no canonical JSON form.',
      why: `It is ${typeof value}.`,
    });
  }
  // RFC 8785 section 3.2.2.2: a lone surrogate is an error, not a character to be replaced.
  if (!text.isWellFormed()) {
    throw new AgovError('INPUT_INVALID', {
      what: 'A value has no canonical JSON form.',
      why: 'A string holds half a surrogate pair.',
    });
  }
  return text;
}
