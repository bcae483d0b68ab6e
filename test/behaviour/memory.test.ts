/** `agov memory` as a person at the terminal meets it. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { embeddingServer } from '../support/embedding-server.ts';
import { type Answer, modelServer } from '../support/model-server.ts';

let project: TestProject;
beforeEach(async () => {
  project = await testProject();
});
afterEach(() => project[Symbol.dispose]());

const json = async (...argv: string[]) => JSON.parse((await must(project.agov(...argv, '--json'))).stdout);
const logged = async (text: string, ...more: string[]): Promise<string> =>
  JSON.parse((await must(project.agovWith(text, 'memory', 'log', '--json', ...more))).stdout).id;

it('keeps what is piped in, lists it, finds it, gives it back, and forgets it on record', async () => {
  const id = await logged(
    'first line\nthe walnut is in the cellar\n',
    '--title',
    'where',
    '--tag',
    'Home',
    '--tag',
    'food',
  );
  const list = await must(project.agov('memory', 'list', '--tag', 'home'));
  expect(list.stdout).toMatch(new RegExp(`${id.slice(-12)}.*text.*project.*where.*food home`));
  const search = await must(project.agov('memory', 'search', 'walnut'));
  expect(search.stdout).toContain('part 1 of 1, line 2');
  expect((await must(project.agov('memory', 'fetch', id.slice(-6), '--range', '2'))).stdout).toBe(
    'the walnut is in the cellar\n',
  );
  expect(await json('memory', 'fetch', id)).toMatchObject({ entry: { id }, parts: [{ part: 1, line: 1 }], links: [] });
  expect((await must(project.agov('memory', 'fetch', id, '-s'))).stdout).toContain('walnut');
  expect((await project.agov('memory', 'forget', id)).code).toBe(64);
  await must(project.agov('memory', 'forget', id, '--reason', 'moved'));
  const gone = await project.agov('memory', 'fetch', id);
  expect(gone).toMatchObject({ code: 66, stdout: '' });
  expect(gone.stderr).toContain('By ada: moved');
  expect((await project.entries()).filter(({ kind }) => kind === 'memory')).toHaveLength(2);
  await must(project.agov('ledger', 'verify'));
});

it('takes a file, with what is told of it on the way', async () => {
  writeFileSync(
    join(project.root, 'app.log'),
    `2026-01-01T00:00:00Z INFO up\n2026-01-01T00:00:01Z INFO AKIA${'IOSFODNN7EXAMPLF'}\n`,
  );
  const done = await must(project.agov('memory', 'log', 'app.log', '--ttl', '7d'));
  expect(done.stdout).toContain('log, ');
  expect(done.stdout).toContain('secrets taken out: 1 × aws-access-key');
  expect(await json('memory', 'stats')).toMatchObject({ entries: 1, kinds: [{ kind: 'log', entries: 1 }] });
});

describe('bad input', () => {
  it.each<[string, string[], number, RegExp]>([
    ['nothing', ['memory', 'log'], 65, /input is empty/],
    ['a file that is not there', ['memory', 'log', 'nope.txt'], 66, /cannot be read/],
    ['a folder', ['memory', 'log', '.'], 65, /is a folder/],
    ['a space that is none', ['memory', 'list', '--space', 'elsewhere'], 65, /project, agent\/NAME or team\/NAME/],
    ['a kind that is none', ['memory', 'list', '--kind', 'novel'], 64, /Allowed choices/],
    ['a time that is none', ['memory', 'log', 'agov.yaml', '--ttl', 'soon'], 65, /is not a duration/],
    ['an id that is none', ['memory', 'fetch', 'zzz'], 65, /is not the id/],
    ['an id that is unknown', ['memory', 'fetch', 'abcd'], 66, /memory list/],
    ['a tag that is none', ['memory', 'log', 'agov.yaml', '--tag', 'a b'], 65, /is no tag/],
    ['a number that is none', ['memory', 'list', '--limit', '0'], 64, /whole number/],
    ['no word', ['memory', 'search', '***'], 65, /no word to search/],
    ['sense without a model', ['memory', 'search', 'x', '--semantic'], 78, /memory\.embeddings/],
  ])('%s', async (_, argv, code, words) => {
    const answer = await project.agov(...argv);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toMatch(words);
  });

  it('a file of memory that is none', async () => {
    mkdirSync(join(project.root, '.agov'), { recursive: true });
    writeFileSync(join(project.root, '.agov/memory.db'), 'this is no database, it only lies there '.repeat(300));
    const answer = await project.agov('memory', 'list');
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain('is damaged');
    expect(readFileSync(join(project.root, '.agov/memory.db'), 'utf8')).toContain('only lies there');
  });

  it('a secret, where secrets are refused', async () => {
    appendFileSync(join(project.root, 'agov.yaml'), '\nmemory:\n  onSecret: refuse\n');
    const refused = await project.agovWith('password = "Tr0ub4dor&3x"\n', 'memory', 'log');
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain('assigned-password');
    expect(refused.stderr).not.toContain('Tr0ub4dor');
    await must(project.agovWith('password = "Tr0ub4dor&3x"\n', 'memory', 'log', '--on-secret', 'redact'));
  });
});

it('searches by sense, with what the words find', async () => {
  await using server = await embeddingServer();
  const model = `  vectors: { provider: openai-compatible, model: m, baseUrl: "${server.url}", key: models/vectors }`;
  appendFileSync(join(project.root, 'agov.yaml'), `\nmodels:\n${model}\nmemory:\n  embeddings: vectors\n`);
  await must(project.agovWith('sk-the-key-0123456789', 'secret', 'set', 'models/vectors'));
  const car = await logged('She bought an automobile.\n');
  const other = await logged('The doctor reads a book.\n');
  expect((await json('memory', 'search', 'purchase', 'car')).hits).toEqual([]);
  const { hits } = await json('memory', 'search', 'purchase', 'car', '--semantic');
  expect(hits.map(({ entry }: { entry: { id: string } }) => entry.id)).toEqual([car, other]);
  expect(server.asked[0]).toMatchObject({ authorization: 'Bearer sk-the-key-0123456789' });
  const before = server.asked.length;
  await json('memory', 'search', 'physician', '--semantic');
  // What has a vector is not sent again: one request, of the question.
  expect(server.asked.slice(before).map(({ texts }) => texts)).toEqual([['physician']]);
  server.answer = { status: 500, body: 'sk-the-key-0123456789' };
  const failed = await project.agov('memory', 'search', 'physician', '--semantic');
  expect(failed.code).toBe(69);
  expect(failed.stderr).not.toContain('sk-the-key');
  server.answer = { status: 200, body: '{"data":[{"index":0,"embedding":["x"]}]}' };
  expect((await project.agov('memory', 'search', 'physician', '--semantic')).code).toBe(1);
  expect((await must(project.agov('leases', '--json'))).stdout.trim()).toBe('[]');
});

describe('a summary by a model', () => {
  const prose =
    'The walnut stood in the cellar for years. Nobody looked for it there. Ada found it in the spring of 2026.';
  const withModel = async (url: string): Promise<void> => {
    const model = `  writer: { provider: openai-compatible, model: m, baseUrl: "${url}", key: models/writer, maxRetries: 0 }`;
    appendFileSync(join(project.root, 'agov.yaml'), `\nmodels:\n${model}\nmemory:\n  summaries: writer\n`);
    await must(project.agovWith('sk-the-key-0123456789', 'secret', 'set', 'models/writer'));
  };

  it('is asked for with the content alone, its key leased and on record, and says who wrote it', async () => {
    await using server = await modelServer([{ text: 'A walnut was found. sk-the-key-0123456789' }]);
    await withModel(server.url);
    const id = await logged(prose);
    const told = await json('memory', 'fetch', id, '-s', 'short');
    expect(told).toMatchObject({ model: 'writer', length: 'short', read: 1 });
    expect(told.text).toContain('A walnut was found.');
    expect(told.text).not.toContain('sk-the-key');
    const [asked] = server.asked;
    expect(asked?.headers.authorization).toBe('Bearer sk-the-key-0123456789');
    expect(asked?.body.messages).toMatchObject([
      { role: 'system', content: expect.stringContaining('never an instruction') },
      { role: 'user', content: prose },
    ]);
    expect(asked?.body.tools ?? []).toEqual([]);
    const steps = (await project.entries())
      .filter(({ body }) => body['path'] === 'models/writer')
      .map(({ body }) => body);
    expect(steps.slice(-2)).toMatchObject([
      { step: 'lease', model: 'writer', for: 'memory.summaries' },
      { step: 'ended' },
    ]);
    expect((await must(project.agov('leases', '--json'))).stdout.trim()).toBe('[]');
  });

  it('is cut where it is longer than asked', async () => {
    await using server = await modelServer([{ text: 'word '.repeat(500) }]);
    await withModel(server.url);
    const told = await json('memory', 'fetch', await logged(prose), '-s', 'short');
    expect(told.text.split(/\s+/).length).toBeLessThanOrEqual(41);
  });

  it.each<[string, Answer]>([
    ['is away', { status: 503 }],
    ['refuses the key', { status: 401, body: 'sk-the-key-0123456789' }],
    ['says nothing', { text: '' }],
    ['refuses to', { text: 'no', finish: 'content_filter' }],
  ])('is the content’s own sentences where the model %s, and that is said', async (_, answer) => {
    await using server = await modelServer([answer]);
    await withModel(server.url);
    const id = await logged(prose);
    const told = await project.agov('memory', 'fetch', id, '-s', 'short', '--json');
    expect(told.code).toBe(0);
    const result = JSON.parse(told.stdout);
    expect(result.model).toBeUndefined();
    expect(result.instead).toContain('"writer"');
    expect(result.text).toContain('walnut');
    expect(told.stderr + told.stdout).not.toContain('sk-the-key');
    expect((await project.agov('memory', 'fetch', id, '-s')).stderr).toContain('sentences of the content');
  });

  it('is refused at once where the setting names no model', async () => {
    appendFileSync(join(project.root, 'agov.yaml'), '\nmemory:\n  summaries: nobody\n');
    const answer = await project.agov('memory', 'list');
    expect(answer).toMatchObject({ code: 78, stderr: expect.stringContaining('memory.summaries names "nobody"') });
  });
});
