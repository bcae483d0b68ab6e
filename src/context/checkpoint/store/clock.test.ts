/** Checkpoints stay in the order in which they were taken, whatever the clock does, and what is young is left alone. */
import { existsSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../test/support/fake-env.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, idSource } from '../../../kernel/index.ts';
import { openTokenizer } from '../../tokens/index.ts';
import { type Checkpoints, checkpointsOf } from '../checkpoints.ts';
import { openStore, type Store } from './store.ts';

const day = 86_400_000;
let root: string;
let env: FakeEnv;
let store: Store;
let checkpoints: Checkpoints;

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
  checkpoints = checkpointsOf(
    {
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
    },
    { operator: 'ada', user: 'ada' },
  );
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
