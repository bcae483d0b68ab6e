/** What was logged comes back byte for byte, is found, and is gone when it is forgotten. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../test/support/fake-env.ts';
import { idSource } from '../../kernel/index.ts';
import { type LogOptions, type Memory, openMemory } from './index.ts';

const here = ['project'];
let folder: string;
let path: string;
let env: FakeEnv;
let memory: Memory;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agov-memory-'));
  path = join(folder, 'memory.db');
  env = fakeEnv();
  memory = await openMemory({ path, env, ids: idSource(env) });
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function* once(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

const log = (content: string | Uint8Array, options: LogOptions & { space?: string } = {}) => {
  const { space = 'project', ...more } = options;
  return memory.log(space, { operator: 'ada' }, once(content), more);
};
const content = (id: string): Buffer =>
  Buffer.concat([...memory.fetch(here, id)].map(({ bytes }) => bytes ?? Buffer.from('<damaged>')));
const found = (text: string): string[] => [
  ...new Set(memory.search(here, { text, limit: 50 }).hits.map(({ entry }) => entry.id)),
];

function sql(text: string): unknown[] {
  const db = new DatabaseSync(path);
  try {
    return db.prepare(text).all();
  } finally {
    db.close();
  }
}

/** Every byte that the memory has on disk. */
function onDisk(): Buffer {
  return Buffer.concat(['', '-wal'].map((end) => readFileSync(`${path}${end}`, { flag: 'a+' })));
}

it('gives back every byte, of any kind of content', async () => {
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919 + (i >> 8)) & 0xff));
  const long = Buffer.from('no end of line, '.repeat(40_000));
  const broken = Buffer.concat([Buffer.from('text '), Buffer.from([0xff, 0xc3]), Buffer.from(' more\n')]);
  const emoji = Buffer.from('🦊é'.repeat(30_000));
  for (const bytes of [noise, long, broken, emoji, Buffer.from('\n'), Buffer.from('x')]) {
    const entry = await log(bytes);
    expect(content(entry.id).equals(bytes)).toBe(true);
    expect(entry.bytes).toBe(bytes.length);
  }
});

it('does not cut a character in two, even in a line without an end', async () => {
  const entry = await log(`${'é'.repeat(50_001)}`);
  for (const { bytes } of memory.fetch(here, entry.id)) expect(bytes?.toString('utf8')).not.toContain('\ufffd');
});

it('keeps binary content, and says that it is found by its title alone', async () => {
  const entry = await log(Buffer.from([0, 1, 2, 3, 112, 101, 97, 114]), { title: 'core dump of walnut' });
  expect(entry).toMatchObject({ kind: 'binary', parts: 1 });
  expect(found('walnut')).toEqual([entry.id]);
});

it('refuses nothing as content', async () => {
  await expect(log('')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  expect(memory.list(here, { limit: 5 }).entries).toEqual([]);
});

it('is readable by its owner alone', () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

describe('secrets', () => {
  const key = `AKIA${'IOSFODNN7EXAMPLF'}`;
  it('are taken out of content and title before anything is written', async () => {
    const entry = await log(`id ${key} end`, { title: `of ${key}` });
    expect(content(entry.id).toString()).toBe('id [redacted:aws-access-key] end');
    expect(entry).toMatchObject({ redacted: { 'aws-access-key': 1 }, title: 'of [redacted:aws-access-key]' });
    expect(onDisk().includes(key)).toBe(false);
  });

  it('are a reason to refuse all of it, where that is asked for', async () => {
    const late = `${'line\n'.repeat(1_000_000)}${key}\n`;
    await expect(log(late, { onSecret: 'refuse' })).rejects.toMatchObject({
      code: 'SECRET_FOUND',
      details: { rule: 'aws-access-key', offset: 5_000_000 },
    });
    expect(memory.list(here, { limit: 5 }).entries).toEqual([]);
    expect(sql('SELECT id FROM blocks UNION ALL SELECT id FROM parts UNION ALL SELECT id FROM contents')).toEqual([]);
  });
});

describe('equal content', () => {
  it('lies there once, and stays while one entry has it', async () => {
    const [one, two] = [await log('the quick walnut\n'), await log('the quick walnut\n', { space: 'agent/bob' })];
    expect(two.sha256).toBe(one.sha256);
    expect(sql('SELECT id FROM blocks')).toHaveLength(1);
    expect(memory.forget(here, one.id, 'ada', 'no need')).toMatchObject({ erased: false });
    expect(memory.search(['agent/bob'], { text: 'walnut', limit: 5 }).hits).toHaveLength(1);
    expect(found('walnut')).toEqual([]);
    expect(memory.forget(['agent/bob'], two.id, 'ada', 'no need')).toMatchObject({ erased: true });
    expect(sql('SELECT id FROM blocks')).toEqual([]);
  });
});

describe('what is forgotten', () => {
  it('is nowhere on disk, and leaves a tombstone', async () => {
    const kept = await log('the walnut stays\n');
    const entry = await log(`zirconium ${'filler words '.repeat(3000)} zirconium\n`, {
      title: 'wolframite',
      tags: ['yttrium'],
    });
    const { sha256 } = entry;
    expect(found('zirconium')).toEqual([entry.id]);
    const blocks = sql('SELECT hex(data) AS data FROM blocks').map((row) => (row as { data: string }).data);
    memory.forget(here, entry.id, 'ada', 'holds personal data');
    const bytes = onDisk();
    for (const word of ['zirconium', 'wolframite', 'yttrium', 'irconiu']) expect(bytes.includes(word)).toBe(false);
    const gone = blocks.filter((data) => !bytes.includes(Buffer.from(data, 'hex')));
    expect(gone.length).toBe(blocks.length - 1);
    expect(found('zirconium')).toEqual([]);
    expect(found('walnut')).toEqual([kept.id]);
    expect(() => memory.find(here, entry.id)).toThrow(/forgotten on .*By ada: holds personal data/);
    expect(sql('SELECT lower(hex(hash)) AS hash, by, reason FROM tombstones')).toEqual([
      { hash: sha256, by: 'ada', reason: 'holds personal data' },
    ]);
  });

  it('is nowhere on disk also where it is much, and the rest is found as before', async () => {
    const kept = await log(
      Array.from({ length: 300 }, (_, n) => `# k${n}\n\n${'walnut stays '.repeat(40)}\n\n`).join(''),
    );
    const section = (n: number): string => `# s${n}\n\n${`zirconium walnut yttrium${n} `.repeat(20)}\n\n`;
    const entry = await log(Array.from({ length: 1500 }, (_, n) => section(n)).join(''));
    expect(entry.parts).toBeGreaterThan(1000);
    expect(entry.indexed).toBe(entry.parts);
    expect(found('yttrium77')).toEqual([entry.id]);
    memory.forget(here, entry.id, 'ada', 'holds personal data');
    const bytes = onDisk();
    for (const word of ['zirconium', 'irconiu', 'yttrium', 'trium1499']) expect(bytes.includes(word)).toBe(false);
    expect(found('zirconium')).toEqual([]);
    expect(found('walnut')).toEqual([kept.id]);
    expect(sql('SELECT count(*) AS n FROM parts')).toEqual([{ n: kept.parts }]);
    // What is little is cut out at once, as before.
    memory.forget(here, (await log('a little wolframite\n')).id, 'ada', 'test');
    expect(onDisk().includes('wolframite')).toBe(false);
    sql(`INSERT INTO words (words) VALUES ('integrity-check')`);
  });

  it('is not told where somebody else looks', async () => {
    const entry = await log('mine\n', { space: 'agent/bob' });
    memory.forget(['agent/bob'], entry.id, 'ada', 'a secret reason');
    expect(() => memory.find(here, entry.id)).toThrow(/There is no entry/);
  });
});

describe('an id', () => {
  it('may be given by its beginning or its end, and the candidates are told where several match', async () => {
    const [one, two] = [await log('one\n'), await log('two\n')];
    expect(memory.find(here, one.id.slice(-10)).id).toBe(one.id);
    expect(memory.find(here, two.id).id).toBe(two.id);
    expect(() => memory.find(here, one.id.slice(0, 8))).toThrow(
      expect.objectContaining({ code: 'CONFLICT', details: { matches: [expect.anything(), expect.anything()] } }),
    );
    expect(() => memory.find(here, "'; DROP TABLE entries")).toThrow(/is not the id/);
    expect(() => memory.find(['agent/bob'], one.id)).toThrow(/There is no entry/);
  });
});

describe('parts and lines', () => {
  it('are given by their numbers', async () => {
    const text = Array.from({ length: 5000 }, (_, i) => `line ${i + 1} of the whole\n`).join('');
    const entry = await log(text);
    expect(entry.lines).toBe(5000);
    const range = (from: number, to: number): string =>
      Buffer.concat(
        [...memory.fetch(here, entry.id, { lines: { from, to } })].map(({ bytes }) => bytes ?? Buffer.alloc(0)),
      ).toString();
    for (const [from, to] of [
      [1, 1],
      [1, 3],
      [77, 79],
      [2500, 2600],
      [4999, 5000],
      [5000, 9999],
    ] as const) {
      expect(range(from, to)).toBe(
        text
          .split(/(?<=\n)/)
          .slice(from - 1, to)
          .join(''),
      );
    }
    const all = [...memory.fetch(here, entry.id)];
    for (const one of all) {
      expect([...memory.fetch(here, entry.id, { part: one.part })]).toEqual([one]);
      expect(one.bytes?.toString().startsWith(`line ${one.line} `)).toBe(true);
    }
    expect(() => [...memory.fetch(here, entry.id, { part: entry.parts + 1 })]).toThrow(/There is no part/);
    expect(() => [...memory.fetch(here, entry.id, { lines: { from: 6000, to: 6001 } })]).toThrow(/no line 6000/);
  });

  it('are found by line also inside a line that several parts hold', async () => {
    const entry = await log(`first\n${'word '.repeat(10_000)}\nlast\n`);
    const lines = (from: number, to: number): string =>
      Buffer.concat(
        [...memory.fetch(here, entry.id, { lines: { from, to } })].map(({ bytes }) => bytes ?? Buffer.alloc(0)),
      ).toString();
    expect(lines(2, 2)).toBe(`${'word '.repeat(10_000)}\n`);
    expect(lines(3, 3)).toBe('last\n');
  });
});

describe('damage', () => {
  it('is told by part, and the rest is given', async () => {
    const text = Array.from({ length: 40_000 }, (_, i) => `2026-01-01T00:00:00Z INFO event ${i}\n`).join('');
    const entry = await log(text);
    const whole = [...memory.fetch(here, entry.id)];
    sql(`UPDATE blocks SET data = zeroblob(length(data)) WHERE id = (SELECT max(id) FROM blocks)`);
    const pieces = [...memory.fetch(here, entry.id)];
    const damaged = pieces.filter(({ bytes }) => bytes === undefined);
    expect(damaged.length).toBeGreaterThan(0);
    expect(damaged.length).toBeLessThan(pieces.length);
    for (const [i, piece] of pieces.entries()) if (piece.bytes) expect(piece).toEqual(whole[i]);
    memory.forget(here, entry.id, 'ada', 'damaged');
    expect(found('event')).toEqual([]);
  });
});

describe('time', () => {
  it('takes what is over at the next gc, and nothing before', async () => {
    const entry = await log('short lived\n', { ttlMs: 60_000 });
    const kept = await log('for ever\n');
    env.advance(59_999);
    expect(await memory.gc()).toMatchObject({ expired: 0 });
    env.setNow(env.now() - 86_400_000);
    expect(await memory.gc()).toMatchObject({ expired: 0 });
    env.setNow(env.now() + 86_400_001);
    expect(await memory.gc()).toMatchObject({ expired: 1, erased: 1 });
    expect(() => memory.find(here, entry.id)).toThrow(/was forgotten/);
    expect(memory.find(here, kept.id).id).toBe(kept.id);
  });
});

describe('lists and links', () => {
  it('go page by page, by tag, kind and author', async () => {
    const ids = [];
    for (let n = 0; n < 12; n++) ids.push((await log(`entry ${n}\n`, { tags: n % 3 === 0 ? ['third'] : [] })).id);
    const newest = [...ids].reverse();
    const first = memory.list(here, { limit: 5 });
    expect(first.entries.map(({ id }) => id)).toEqual(newest.slice(0, 5));
    expect(first.more).toBe(true);
    const before = first.entries.at(-1)?.id ?? '';
    expect(memory.list(here, { limit: 50, before })).toMatchObject({
      more: false,
      entries: newest.slice(5).map((id) => ({ id })),
    });
    expect(memory.list(here, { limit: 50, tags: ['third'] }).entries).toHaveLength(4);
    expect(memory.list(here, { limit: 50, kind: 'log' }).entries).toEqual([]);
    expect(memory.list(['agent/bob'], { limit: 50 }).entries).toEqual([]);
  });

  it('tell both ends of a link, to those who see both', async () => {
    const [one, two] = [await log('one\n'), await log('two\n', { space: 'agent/bob' })];
    const both = ['project', 'agent/bob'];
    memory.link(both, one.id, two.id, 'fixes', 'ada');
    expect(memory.links(both, two.id)).toMatchObject([{ source: one.id, target: two.id, relation: 'fixes' }]);
    expect(memory.links(here, one.id)).toEqual([]);
    memory.forget(both, one.id, 'ada', 'over');
    expect(memory.links(both, two.id)).toEqual([]);
  });
});

describe('search', () => {
  it('takes words, phrases, beginnings and what must not be there; operators are words', async () => {
    const one = await log('connection refused by the peer\n');
    const two = await log('the peer refused: no connection\n');
    expect(found('connection refused').sort()).toEqual([one.id, two.id].sort());
    expect(found('"connection refused"')).toEqual([one.id]);
    expect(found('conn* -by')).toEqual([two.id]);
    expect(found('CONNECTION "NEAR" OR')).toEqual([]);
    expect(found('text:peer OR (').length).toBe(0);
    expect(() => found('"" *')).toThrow(/no word to search/);
  });

  it('finds what is written with other accents, and names part, line and heading', async () => {
    await log(`# Über uns\n\n${'Füllwort. '.repeat(300)}\n\n## Straße\n\nDer Café-Besuch\n`, { kind: 'markdown' });
    const [hit] = memory.search(here, { text: 'cafe besuch', limit: 1 }).hits;
    expect(hit).toMatchObject({ label: 'Über uns > Straße', line: 7, snippet: 'Der Café-Besuch', part: 2 });
  });

  it('lets the telling words decide where one of them is everywhere, and gives the newest where all are', async () => {
    const filler = 'common '.repeat(57);
    const section = (n: number): string =>
      `# s\n${n === 7 ? 'needle '.repeat(20) : n === 4000 ? 'needle ' : ''}${filler}\n`;
    const entry = await log(Array.from({ length: 10_200 }, (_, n) => section(n)).join(''), { kind: 'markdown' });
    expect(entry).toMatchObject({ parts: 10_200, indexed: 10_200 });
    const parts = (text: string): number[] => memory.search(here, { text, limit: 3 }).hits.map(({ part }) => part);
    expect(parts('common needle')).toEqual([8, 4001]);
    expect(parts('common -needle')).toEqual([10_200, 10_199, 10_198]);
  });

  it('finds what was too large to be indexed at once when it has been caught up', async () => {
    const line = (i: number): string => `2026-01-01T00:00:00Z INFO event ${i} nothing of note happened here today\n`;
    const entry = await log(
      `${Array.from({ length: 80_000 }, (_, i) => line(i)).join('')}2026-01-01T00:00:01Z WARN walnut\n`,
    );
    expect(entry.indexed).toBeLessThan(entry.parts);
    expect(memory.search(here, { text: 'walnut', limit: 1 }).unsearched).toBe(entry.parts - entry.indexed);
    expect(await memory.gc()).toMatchObject({ indexed: entry.parts - entry.indexed });
    expect(found('walnut')).toEqual([entry.id]);
  });
});
