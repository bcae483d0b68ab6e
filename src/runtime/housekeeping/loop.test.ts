import { expect, it } from 'vitest';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { AgovError } from '../../kernel/index.ts';
import { type Chore, type ChoreEvent, type Chores, startChores } from './index.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function started(run: Chore['run'], everyMs = 1000) {
  const env = fakeEnv();
  const stop = new AbortController();
  const events: ChoreEvent[] = [];
  const onEvent = (event: ChoreEvent) => events.push(event);
  const chores: Chores = startChores([{ name: 'one', everyMs, run }], { env, signal: stop.signal, onEvent });
  const pass = async (ms: number) => {
    env.advance(ms);
    await turn();
  };
  return { env, stop, events, chores, pass, told: () => events.map(({ event, text }) => `${event}: ${text}`) };
}

it('does a chore at once and then at its pace, give or take a tenth', async () => {
  let runs = 0;
  const { chores, pass, stop } = started(async () => {
    runs += 1;
    return undefined;
  });
  await chores.first;
  await turn();
  expect(runs).toBe(1);
  await pass(899);
  expect(runs).toBe(1);
  await pass(201);
  expect(runs).toBe(2);
  stop.abort();
  await chores.done;
  await pass(10_000);
  expect(runs).toBe(2);
});

it('never does one twice at once, and tells how long it has been at it', async () => {
  let runs = 0;
  const slow = Promise.withResolvers<undefined>();
  const { chores, pass, stop } = started(() => {
    runs += 1;
    return slow.promise;
  });
  await pass(5000);
  expect(runs).toBe(1);
  expect(chores.longestMs()).toBe(5000);
  expect(chores.status()[0]?.runningSince).toBeDefined();
  stop.abort();
  let done = false;
  void chores.done.then(() => {
    done = true;
  });
  await turn();
  expect(done).toBe(false);
  slow.resolve(undefined);
  await chores.done;
  expect(chores.longestMs()).toBe(0);
});

it('tells a failure once, until it changes or is over, and goes on', async () => {
  const answers = [
    () => Promise.reject(new AgovError('STATE_UNAVAILABLE', { what: 'It is away.', fix: 'Start it.' })),
    () => Promise.reject(new AgovError('STATE_UNAVAILABLE', { what: 'It is away.' })),
    () => Promise.reject(new Error('other')),
    async () => '2 things done',
    async () => undefined,
  ];
  const { chores, pass, told } = started(() => answers.shift()?.() ?? Promise.resolve(undefined));
  await chores.first;
  expect(chores.status()[0]).toMatchObject({
    failures: 1,
    fault: { code: 'STATE_UNAVAILABLE', what: 'It is away.', fix: 'Start it.' },
  });
  for (let i = 0; i < 4; i++) {
    await turn();
    await pass(1100);
  }
  expect(told()).toEqual([
    'failed: It is away.',
    'failed: other',
    'recovered: It works again after 3 failures.',
    'did: 2 things done',
  ]);
  expect(chores.status()[0]).toMatchObject({ runs: 5, failures: 0, did: '2 things done' });
  expect(chores.status()[0]?.fault).toBeUndefined();
});
