/** Checkpoints stay in the order in which they were taken, each asker has their own, and what is young is left alone. */
import { existsSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../test/support/fake-env.ts';
import type { Governor } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, idSource } from '../../../kernel/index.ts';
import { openTokenizer } from '../../tokens/index.ts';
import { type Checkpoints, type CheckpointsParts, checkpointsOf } from '../checkpoints.ts';
import { openStore, type Store } from './store.ts';

const day = 86_400_000;
let root: string;
let env: FakeEnv;
let store: Store;
let checkpoints: Checkpoints;
let bobs: Checkpoints;

/** Of a project that has nothing but what is said. */
const nothing = async (): Promise<never> => {
  throw new AgovError('NOT_FOUND', { what: 'There is none.' });
};

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'agov-checkpoints-')));
  env = fakeEnv();
  const ids = idSource(env);
  store = openStore(join(root, 'checkpoints'), env, ids);
  const taken = new Map<string, string>();
  const append: Ledger['append'] = async ({ body }) => {
    taken.set(String(body['id']), String(body['sha256']));
    return {} as Awaited<ReturnType<Ledger['append']>>; // nobody reads the receipt here
  };
  const parts: CheckpointsParts = {
    ...{ store, env, ids, root, closed: [] },
    tokenizer: () => openTokenizer('o200k_base'),
    ledger: async () => ({ append }),
    recorded: async () => ({ taken, all: true }),
    checkouts: {
      look: async () => ({ ok: false, why: 'There is no git repository.' }),
      contents: nothing,
      compare: nothing,
      branchOut: nothing,
    },
    sources: {
      status: nothing,
      work: nothing,
      agents: nothing,
      memory: nothing,
      ledger: nothing,
      environment: nothing,
    },
  };
  checkpoints = checkpointsOf(parts, { operator: 'ada', user: 'ada' });
  const act = (async (_channel: unknown, _intent: unknown, effect: () => Promise<{ value: unknown }>) => ({
    verdict: 'allow',
    value: (await effect()).value,
  })) as unknown as Governor['act']; // the others answer for what is decided
  const channel = { agent: 'bob', run: 'r', workspace: root };
  bobs = checkpointsOf(parts, { channel, governor: { act } });
});
afterEach(() => rmSync(root, { recursive: true }));

it('takes the last one for the newest, though its time and its id are older', async () => {
  const notes = ['first', 'a year back', 'two years on'];
  const begun = env.now();
  for (const [i, years] of [0, -1, 1].entries()) {
    env.setNow(begun + years * 365 * day);
    await checkpoints.now({ notes: notes[i] ?? '' });
    const { text, about } = await checkpoints.brief(undefined, 500);
    expect(text).toContain(notes[i]);
    expect(about).toMatchObject({ seq: i + 1 });
    expect((await checkpoints.get('latest')).checkpoint.about.seq).toBe(i + 1);
  }
  env.setNow(begun - 10 * 365 * day);
  const { read } = await checkpoints.list();
  expect(read.map(({ checkpoint: { about } }) => about.seq)).toEqual([3, 2, 1]);
  const { removed } = await checkpoints.prune(2);
  expect(removed).toEqual([read[2]?.checkpoint.about.id]);
});

it('removes no draft and no content of somebody who is at it, though a clock says otherwise', async () => {
  const draft = join(store.folder, '.draft-x');
  const incoming = join(store.folder, 'objects/incoming/x');
  await store.keep(Buffer.from('something'));
  for (const path of [draft, incoming]) writeFileSync(path, 'half');
  const set = (hours: number): void => {
    for (const path of [draft, incoming]) utimesSync(path, env.now() / 1000, env.now() / 1000 + hours * 3600);
  };
  set(5);
  await checkpoints.now();
  expect([draft, incoming].map((path) => existsSync(path))).toEqual([true, true]);
  set(-5);
  await checkpoints.now();
  expect([draft, incoming].map((path) => existsSync(path))).toEqual([false, false]);
});

it('keeps so many of an agent and no more, and takes none of them for the project’s', async () => {
  await checkpoints.now({ notes: 'ours', tag: 'ready' });
  for (let i = 0; i < 50; i++) await bobs.now({ tag: i === 0 ? 'ready' : `t${i}` });
  await expect(bobs.now({ tag: 'one-more' })).rejects.toMatchObject({ code: 'CONFLICT' });
  for (let i = 0; i < 130; i++) await bobs.now({ notes: `note ${i}` });
  const { read } = await bobs.list();
  expect(read.length).toBeLessThanOrEqual(50 + 100 + 21);
  expect((await bobs.get('latest')).checkpoint.parts.notes).toMatchObject({ value: { notes: 'note 129' } });
  for (const name of ['latest', 'ready']) {
    expect((await checkpoints.get(name)).checkpoint.parts.notes).toMatchObject({ value: { notes: 'ours' } });
  }
  expect((await checkpoints.get('t1')).checkpoint.about.space).toBe('agent/bob');
  await expect(bobs.get(store.list()[0]?.id ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(() => bobs.prune(1, { agent: 'eve' })).toThrow();
  await checkpoints.prune(0, { agent: 'bob' });
  expect((await bobs.list()).read).toHaveLength(50);
  expect((await checkpoints.list()).read).toHaveLength(51);
});
