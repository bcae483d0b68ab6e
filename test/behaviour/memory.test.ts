/** `agov memory` as a person at the terminal meets it. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { embeddingServer } from '../support/embedding-server.ts';

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
