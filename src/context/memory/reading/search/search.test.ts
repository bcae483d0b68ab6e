/** What a search leaves out so as to be fast is held against the whole ranking, which FTS5 makes by reading all of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeEnv } from '../../../../../test/support/fake-env.ts';
import { idSource } from '../../../../kernel/index.ts';
import { type Memory, openMemory } from '../../index.ts';

const parts = 16_000;
const perPart = 60;
const vocabulary = 3000;
const here = ['project'];

let folder: string;
let memory: Memory;
let db: DatabaseSync;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agov-search-'));
  const path = join(folder, 'memory.db');
  const env = fakeEnv();
  memory = await openMemory({ path, env, ids: idSource(env) });
  for (let made = 0; made < parts; made += 1000) {
    const text = Array.from({ length: 1000 }, (_, n) => section(made + n)).join('');
    await memory.log('project', { operator: 'ada' }, once(text), { kind: 'markdown', title: `notes ${made}` });
  }
  db = new DatabaseSync(path, { readOnly: true });
});
afterAll(async () => {
  db.close();
  await memory[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** The n-th word of the vocabulary is in about one of n parts, as words are. */
function section(n: number): string {
  let state = (n + 1) * 2_654_435_761;
  const next = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) | 0;
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
  };
  const words = Array.from(
    { length: perPart + Math.floor(next() * 60) },
    () => `w${Math.floor(vocabulary ** next())}x`,
  );
  return `# n${n}\n\n${words.join(' ')} ${'end '.repeat(30)}\n\n`;
}

const wholeRanking = (words: readonly string[], most: number): string[] =>
  db
    .prepare(
      `SELECT p.label FROM words JOIN parts p ON p.id = words.rowid WHERE words MATCH ?
       ORDER BY bm25(words, 3.0, 1.0), words.rowid DESC LIMIT ?`,
    )
    .all(words.map((word) => `"${word}"`).join(' AND '), most)
    .map((row) => String(row['label']));
const found = (text: string, limit = 10): string[] =>
  memory.search(here, { text, limit }).hits.map(({ label }) => label);
const common = (word: string): boolean =>
  (db.prepare('SELECT count(*) AS n FROM words WHERE words MATCH ?').get(`"${word}"`)?.['n'] as number) >= 4000;

it('has parts with words of every frequency', () => {
  expect(memory.stats(here).parts).toBe(parts);
  expect(['w1x', 'w10x', 'w22x', 'end'].filter((word) => !common(word))).toEqual([]);
  expect(['w60x', 'w90x', 'w700x'].filter(common)).toEqual([]);
});

describe('of words none of which is everywhere', () => {
  it.each(['w60x w90x', 'w700x w75x', 'w60x w70x w80x', 'w2500x'])(
    '%s: the very order of the whole ranking',
    (text) => {
      const whole = wholeRanking(text.split(' '), 10);
      expect(whole.length).toBeGreaterThan(0);
      expect(found(text)).toEqual(whole);
    },
  );
});

describe('where some words are everywhere', () => {
  const texts = ['w1x w700x', 'w20x w150x', 'end w12x w60x', 'w2x w22x end w300x', 'w15x w90x', 'w18x w10x w200x'];

  it('all of the answers have all of the words', () => {
    for (const text of texts) {
      const all = new Set(wholeRanking(text.split(' '), parts));
      const hits = found(text, 50);
      expect(hits.length).toBe(Math.min(50, all.size));
      for (const hit of hits) expect(all.has(hit)).toBe(true);
    }
  });

  it('the first ten are mostly those of the whole ranking', () => {
    const shares = texts.map((text) => {
      const whole = wholeRanking(text.split(' '), 10);
      const ours = new Set(found(text));
      return whole.filter((label) => ours.has(label)).length / whole.length;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean, shares.join(' ')).toBeGreaterThan(0.8);
  });
});

describe('where all words are everywhere', () => {
  it('the newest come first, and nothing twice', () => {
    const all = wholeRanking(['w1x', 'w2x'], parts).map((label) => Number(label.slice(1)));
    expect(found('w1x w2x', 50).map((label) => Number(label.slice(1)))).toEqual(all.sort((a, b) => b - a).slice(0, 50));
  });

  it('older ones are found where the newer ones do not have them together', async () => {
    const old = section(0).replace(/^# .*/, '# old').replace('end ', 'zebra quagga ');
    await memory.log('project', { operator: 'ada' }, once(old.repeat(1)), { kind: 'markdown', title: 'o' });
    const only = (word: string): string =>
      Array.from({ length: 4100 }, () => `# ${word}\n\n${`${word} `.repeat(70)}\n\n`).join('');
    for (const word of ['zebra', 'quagga'])
      await memory.log('project', { operator: 'ada' }, once(only(word)), { kind: 'markdown', title: 'many' });
    await memory.gc();
    expect(common('zebra') && common('quagga')).toBe(true);
    expect(found('zebra quagga')).toEqual(['old']);
    expect(found('quagga zebra -w1x')).toEqual(section(0).includes('w1x ') ? [] : ['old']);
  });

  it('those of another space are found however many newer ones there are here', async () => {
    await memory.log('agent/bob', { agent: 'bob' }, once('# mine\n\nw1x w2x end w3x\n'), {
      kind: 'markdown',
      title: 'b',
    });
    for (let n = 0; n < 3; n++)
      await memory.log(
        'project',
        { operator: 'ada' },
        once(Array.from({ length: 1000 }, (_, i) => section(10_000 * (n + 1) + i)).join('')),
        { kind: 'markdown', title: 'n' },
      );
    const labels = memory.search(['agent/bob'], { text: 'w1x end', limit: 5 }).hits.map(({ label }) => label);
    expect(labels).toEqual(['mine']);
  });
});
