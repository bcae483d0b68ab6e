import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../kernel/index.ts';
import { type EntryDraft, entryKinds, tiers } from '../../../schemas/index.ts';
import { entryText, write } from './entry-text.ts';

const runs = { numRuns: Number(process.env['AGOV_PROPERTY_RUNS'] ?? 300) };

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\u2028', '\u007f', '😀'),
);
const json = fc.jsonValue({ stringUnit: 'grapheme' });
const object = fc.dictionary(text, json);
const drafts = fc.record(
  {
    kind: fc.constantFrom(...entryKinds),
    body: object,
    parent: text,
    run: text,
    agent: text,
    tier: fc.constantFrom(...tiers),
    artifacts: fc.array(fc.record({ name: text, sha256: text, size: fc.nat() })),
  },
  { requiredKeys: ['kind', 'body'] },
);

describe('the specialised writer', () => {
  it('writes every entry as the general one does', () => {
    fc.assert(
      fc.property(drafts, text, fc.nat(), (generated, id, seq) => {
        // Every JSON object is a body; fast-check's types do not know it.
        const draft = generated as EntryDraft;
        const at = '2026-01-01T00:00:00.000Z';
        const { beforeAt, beforeSeq, end } = entryText(draft, id);
        expect(`${beforeAt}${at}${beforeSeq}${seq}${end}`).toBe(canonicalJson({ ...draft, v: 1, seq, at, id }));
      }),
      runs,
    );
  });

  it.each([
    [{ b: 1, a: undefined, 10: 1, 9: 2, é: 3, '\u{1f600}': 4, '\ufb33': 5 }],
    [[-0, 1e21, 1e-7, 5e-324, 0.1, Number.MAX_SAFE_INTEGER]],
    [{ when: new Date(0) }],
    [Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${39 - i}`, i]))],
  ])('agrees on %j', (value) => expect(write(value, 0)).toBe(canonicalJson(value)));

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  it.each([
    ['NaN', { n: Number.NaN }],
    ['infinity', { n: Number.POSITIVE_INFINITY }],
    ['half a surrogate pair', { s: '\ud800' }],
    ['half a surrogate pair in a key', { '\udc00': 1 }],
    ['a function', { f: () => 1 }],
    ['a big integer', { b: 1n }],
    ['a cycle', cycle],
    ['what is nested past any reader', JSON.parse(`${'['.repeat(1500)}${']'.repeat(1500)}`)],
  ])('refuses %s', (_, value) => {
    expect(() => write(value, 0)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  });
});
