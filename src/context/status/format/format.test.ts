/** What people and other tools write in a STATUS.md stays; what is wrong in it is told by its place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { formatFault, phases, statusSchema } from '../../../schemas/index.ts';
import { applyChange, type Change, readStatus, type StatusValue } from './index.ts';
import { readPlain } from './plain.ts';

const about = { name: 'api', file: 'api/STATUS.md' };
const change = (text: string, what: Change): string => applyChange(text, what, about);
const value = (text: string): StatusValue => {
  const read = readStatus(text, about.file);
  if (!read.ok) throw new Error(read.faults.map(formatFault).join('\n'));
  return read.value;
};
const faults = (text: string): readonly string[] => {
  const read = readStatus(text, about.file);
  return read.ok ? [] : read.faults.map(formatFault);
};

const written = `---
# What we said on Monday
phase: in-progress # for now
x-team: { lead: ada }   # another tool's
owner: 'bob'

tasks:
- first thing # careful
- task: "second: thing"
  weight: 3
depends: [../web]
---
# API

  Words   of people.
---
More words. `;

describe('a change', () => {
  it('leaves comments, order, keys of others and the body as they are', () => {
    const made = change(written, { phase: 'review', tasks: ['third'], done: ['first thing', 'second: thing'] });
    expect(made).toBe(`---
# What we said on Monday
phase: review # for now
x-team: { lead: ada } # another tool's
owner: 'bob'

tasks:
- task: first thing # careful
  done: true
- task: "second: thing"
  weight: 3
  done: true
- third
depends: [ ../web ]
---
# API

  Words   of people.
---
More words. `);
  });

  it('leaves every byte where nothing is to change', () => {
    expect(change(written, { phase: 'in-progress', tasks: ['first thing'] })).toBe(written);
  });

  it('done twice is done once', () => {
    const once = { tasks: ['third'], done: ['third'], note: { text: 'so', by: 'ada', at: '2026-01-01T00:00:00Z' } };
    expect(change(change(written, once), once)).toBe(change(written, once));
  });

  it.each([
    ['CRLF', written.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${written}`],
  ])('keeps %s', (_, text) => {
    const made = change(text, { phase: 'blocked', note: { text: 'a\nb', by: 'ada', at: '2026-01-01T00:00:00Z' } });
    expect(value(made).phase).toBe('blocked');
    expect(made.startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'));
    if (text.includes('\r')) expect(made.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(made.includes(text.slice(text.indexOf('# API')))).toBe(true);
  });

  it('puts a front matter above words alone, and begins an empty file', () => {
    expect(change('Only words\n', { phase: 'review' })).toBe('---\nphase: review\n---\nOnly words\n');
    expect(change('', { phase: 'review' })).toBe('---\nphase: review\n---\n\n# api\n');
    expect(change('---\nphase: review\n---', { note: { text: 'x', by: 'a', at: 'T' } })).toBe(
      '---\nphase: review\n---\n## Notes\n\n- T a: x\n',
    );
  });

  it('puts a note at the end of the notes, wherever they are, and no note can begin a heading', () => {
    const text = '---\nphase: review\n---\n## Notes\n\n- T a: x\n\n\n## Later\n\nwords\n';
    expect(change(text, { note: { text: 'y\n## Notes\n---', by: 'b', at: 'U' } })).toBe(
      '---\nphase: review\n---\n## Notes\n\n- T a: x\n- U b: y\n  ## Notes\n  ---\n\n\n## Later\n\nwords\n',
    );
  });

  it('never sets the time back, but from where no clock could have been', () => {
    const at = (updated: string): string => `---\nphase: review\nupdated: ${updated}\n---\n`;
    const now = { updated: '2026-01-02T00:00:00Z' };
    expect(value(change(at('2026-01-01'), now)).updated).toBe(now.updated);
    expect(value(change(at('2026-01-02T03:00:00Z'), now)).updated).toBe('2026-01-02T03:00:00Z');
    expect(value(change(at('2031-01-01'), now)).updated).toBe(now.updated);
  });

  it('names the nearest task where one is not there, and takes what only one begins with', () => {
    expect(() => change(written, { done: ['frist thing'] })).toThrow(/Did you mean "first thing"/);
    expect(value(change(written, { done: ['SECOND'] })).tasks[1]).toEqual({ text: 'second: thing', done: true });
    const two = '---\nphase: review\ntasks: [fix a, fix b]\n---\n';
    expect(() => change(two, { done: ['fix'] })).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('keeps its hands off what has a fault', () => {
    expect(() => change('---\nphase: wip\n---\n', { phase: 'review' })).toThrow(/api\/STATUS.md:2:8/);
  });

  it('writes whatever a task says, and nothing else comes of it', () => {
    const text = fc
      .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
      .map((one) => one.replace(/\p{Cc}/gu, '').trim());
    fc.assert(
      fc.property(
        fc.array(
          text.filter((one) => one !== '' && one.isWellFormed()),
          { maxLength: 4 },
        ),
        (tasks) => {
          const made = value(change(written, { tasks, done: tasks.slice(0, 1) }));
          const known = ['first thing', 'second: thing'];
          const all = [...new Set([...known, ...tasks])];
          expect(made).toMatchObject({ phase: 'in-progress', depends: ['../web'] });
          expect(made.tasks.map((one) => one.text)).toEqual(all);
        },
      ),
    );
  });
});

describe('a fault', () => {
  it.each([
    ['', 'api/STATUS.md:1:1 The file is empty.'],
    ['# API\n', 'api/STATUS.md:1:1 The file has no front matter: begin it with a line "---".'],
    ['---\nphase: review\n', 'api/STATUS.md:1:1 The front matter that begins here has no line "---" at its end.'],
    [
      '---\nphase: wip\n---\n',
      'api/STATUS.md:2:8 "phase" must be one of not-started, in-progress, blocked, review, complete, not "wip".',
    ],
    [
      '---\nphase: complet\n---\n',
      'api/STATUS.md:2:8 "phase" must be one of not-started, in-progress, blocked, review, complete, not "complet". Did you mean "complete"?',
    ],
    [
      '---\nowner: ada\n---\n',
      'api/STATUS.md:2:1 "phase" is missing; it is one of not-started, in-progress, blocked, review, complete.',
    ],
    ['---\nphase: review\nphase: blocked\n---\n', 'api/STATUS.md:3:1 The key "phase" is written twice.'],
    [
      '---\nphase: review\nupdated: yesterday\n---\n',
      'api/STATUS.md:3:10 "updated": write 2026-01-31 or 2026-01-31T12:00:00Z.',
    ],
    [
      '---\nphase: review\n---\n\n---\nphase: blocked\n---\n',
      'api/STATUS.md:5:1 A second front matter begins here; a file has one.',
    ],
    [
      '---\r\nphase: review\r\n---\r\n---\r\ntasks: []\r\n---\r\n',
      'api/STATUS.md:4:1 A second front matter begins here; a file has one.',
    ],
    ['---\n- phase\n---\n', 'api/STATUS.md:2:1 The file must be a map of keys, not a list.'],
  ])('in %j is told with its place', (text, expected) => {
    expect(faults(text)).toEqual([expected]);
  });

  it('is not seen in rules across the page, nor in examples', () => {
    expect(faults('---\nphase: review\n---\ntext\n\n---\n\nmore: words\n\n---\n')).toEqual([]);
    expect(faults('---\nphase: review\n---\n---\nother: words\n---\n')).toEqual([]);
  });
});

it('reads a short way what the library reads to the same', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'true',
      'null',
      'No',
      '12',
      '1e3',
      './a',
      '../b/c',
      '/d',
      'a b',
      "it's",
      'a: b',
      'a #b',
      '',
      '~',
      '.5',
      '0x1',
      'x:',
      '- y',
      'a ',
      'Null',
    ),
    fc.string({ maxLength: 12 }),
  );
  const time = fc.constantFrom('2026-01-31', '2026-01-05T10:00:00Z', '2026-13-01', '2026-1-1', '2026-02-28T24:00:00Z');
  const line = fc.oneof(
    fc.constantFrom(...phases, 'wip').map((one) => `phase: ${one}`),
    word.map((one) => `owner: ${one}`),
    time.map((one) => `updated: ${one}`),
    fc.constantFrom('true', 'false', '3', '64', '65', '-1', '03').map((one) => `track: ${one}`),
    fc
      .tuple(
        fc.constantFrom('tasks', 'depends'),
        fc.array(
          fc.tuple(
            fc.constantFrom('', '  ', ' '),
            fc.constantFrom('- ', '- task: ', '  done: ', '    done: '),
            fc.oneof(word, fc.constant('true'), time),
          ),
          { maxLength: 4 },
        ),
        fc.constantFrom('', '  '),
      )
      .map(([key, items, indent]) =>
        [`${key}:`, ...items.map(([odd, start, text]) => `${odd === ' ' ? odd : indent}${start}${text}`)].join('\n'),
      ),
  );
  let plain = 0;
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
      const yaml = `${lines.join('\n')}\n`;
      const read = readPlain(yaml);
      if (read === undefined) return;
      plain += 1;
      const raw = statusSchema.parse(parse(yaml, { stringKeys: true }));
      const tasks = (raw.tasks ?? []).map((one) =>
        typeof one === 'string' ? { text: one, done: false } : { text: one.task, done: one.done !== false },
      );
      const track = raw.track == null ? {} : { track: raw.track === true ? 64 : Number(raw.track) };
      const { phase, owner, updated } = raw;
      const expected = {
        phase,
        ...(owner == null ? {} : { owner }),
        ...(updated == null ? {} : { updated }),
        tasks,
        depends: raw.depends ?? [],
        ...track,
      };
      expect(read).toEqual(expected);
    }),
    { numRuns: 3000 },
  );
  expect(plain).toBeGreaterThan(50);
});
