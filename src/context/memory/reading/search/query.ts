/** What people type, as a query of FTS5: words, "phrases", words* that go on, -words that must not be there. */
import { AgovError } from '../../../../kernel/index.ts';

const longest = 1000;
const mostWords = 32;

export interface ParsedQuery {
  /** Each as FTS5 takes it; all of them must be there. */
  readonly terms: readonly string[];
  /** Of these none may be. */
  readonly without: readonly string[];
}

/** @throws INPUT_INVALID where there is nothing to look for */
export function parseQuery(text: string): ParsedQuery {
  const wanted: string[] = [];
  const unwanted: string[] = [];
  for (const [, minus, phrase, word] of text.slice(0, longest).matchAll(/(-)?(?:"([^"]+)"|(\S+))/g)) {
    const begins = word?.endsWith('*') ?? false;
    const tokens = (phrase ?? word ?? '').match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [];
    if (tokens.length === 0) continue;
    // A word such as `foo.bar` is a phrase of two, as it is in the index. Quoted, nothing in it is an operator.
    const term = `"${tokens.join(' ')}"${begins ? '*' : ''}`;
    (minus && wanted.length > 0 ? unwanted : wanted).push(term);
  }
  const terms = [...new Set(wanted)].slice(0, mostWords);
  if (terms.length === 0) {
    throw new AgovError('INPUT_INVALID', {
      what: 'There is no word to search for.',
      fix: 'Give words, "a phrase", begin* or -without: agov memory search "connection refused" retry*',
    });
  }
  return { terms, without: unwanted.slice(0, mostWords) };
}

/** An expression of FTS5. */
export function matchOf({ terms, without }: ParsedQuery): string {
  return `(${terms.join(' AND ')})${without.length === 0 ? '' : ` NOT (${without.join(' OR ')})`}`;
}
