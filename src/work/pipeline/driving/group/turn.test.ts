/** Runs of one group, driven at once in one process, over one state store; hosts differ by their ledgers. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../../../test/support/governed.ts';
import { mortal, partsOf } from '../../../../../test/support/pipeline/world.ts';
import { pumped, pumpUntil } from '../../../../../test/support/pump.ts';
import { fileArtifacts } from '../../../../governance/evidence/index.ts';
import { idSource } from '../../../../kernel/index.ts';
import { type Pipeline, pipelineSchema } from '../../../../schemas/index.ts';
import { runOwner } from '../../../agents/index.ts';
import { cancelRun, type Perform, type RunState, readRun, resumeRun, startRun } from '../../index.ts';
import { lockTtlMs } from '../locks/index.ts';
import { turnLock } from './names.ts';
import { driveInTurn } from './turn.ts';

const by = { operator: 'ada', user: 'ada' };
const graceMs = 10_000;
let here: Governed;
let there: Governed;
let done: string[];
let open: Set<string>;
beforeEach(async () => {
  here = await governed({ agents: { builder: 'T1' } });
  there = await governed({ agents: { builder: 'T1' }, env: here.env });
  [done, open] = [[], new Set()];
});
afterEach(async () => {
  await here[Symbol.asyncDispose]();
  await there[Symbol.asyncDispose]();
});

const pipelineOf = (busy: string): Pipeline =>
  pipelineSchema.parse({
    ...{ apiVersion: 'agov/v1', kind: 'Pipeline', name: 'p', concurrency: { group: 'deploy', busy } },
    stages: {
      work: { agent: 'builder', run: ['work'], compensate: { run: ['undo'] } },
      rest: { agent: 'builder', needs: ['work'], run: ['rest'] },
    },
  }) as Pipeline; // no stage of it uses a template

interface Driven {
  readonly run: string;
  readonly ended: Promise<RunState>;
  readonly waits: string[];
  readonly stop: AbortController;
}

/** `rest` of a run takes until its name is in `open`, or until it is stopped. */
async function begin(name: string, busy: string, host = here): Promise<Driven> {
  const artifacts = fileArtifacts(join(host.dir, 'artifacts'), idSource(host.env));
  const from = { text: name, file: 'p.yaml', params: {} };
  const run = await startRun({ ledger: host.ledger, artifacts, ids: idSource(host.env) }, pipelineOf(busy), from, by);
  return goOn(name, run, busy, host);
}

function goOn(name: string, run: string, busy: string, host = here): Driven {
  const artifacts = fileArtifacts(join(host.dir, 'artifacts'), idSource(host.env));
  const { parts } = partsOf(host, mortal(host.ledger, undefined), artifacts, async () => 'ok');
  const perform: Perform = async ({ key, signal }) => {
    done.push(`${name} ${key}`);
    while (key === 'rest' && !open.has(name) && !signal.aborted) await new Promise((resolve) => setImmediate(resolve));
    const status = signal.aborted ? 'failed' : 'ok';
    const decision = { verdict: 'allow' as const, policies: [], reasons: [], policyVersion: '' };
    return { verdict: 'allow', id: '', decision, outcome: { status, facts: {} }, value: undefined };
  };
  const [stop, waits] = [new AbortController(), [] as string[]];
  const { locks, board } = here.state;
  const turn = { ...parts, locks, board, by, graceMs, perform, onTurn: (text: string) => void waits.push(text) };
  const ended = driveInTurn(turn, pipelineOf(busy), run, { stop: stop.signal, quit: new AbortController().signal });
  ended.catch(() => undefined); // whoever waits for it gets it
  return { run, ended, waits, stop };
}

const until = (holds: () => boolean) => pumpUntil(here.env, holds);
const statusOf = async ({ ended }: Driven): Promise<string> => (await pumped(here.env, ended)).status;

it('goes in the order in which runs began, whoever asks first', async () => {
  const one = await begin('one', 'wait');
  await until(() => done.includes('one rest'));
  const two = await begin('two', 'wait', there);
  const three = await begin('three', 'wait');
  await until(() => two.waits.length > 0 && three.waits.some((text) => text.includes('1 before it')));
  expect(two.waits).toEqual([`waits its turn in group "deploy": it is next, after run ${one.run}`]);
  for (const name of ['three', 'two', 'one']) open.add(name);
  expect([await statusOf(three), await statusOf(two), await statusOf(one)]).toEqual(['ok', 'ok', 'ok']);
  expect(done).toEqual(['one', 'two', 'three'].flatMap((name) => [`${name} work`, `${name} rest`]));
  expect(await here.state.locks.held()).toEqual([]);
});

it.each([
  ['on this host', () => here],
  ['on another', () => there],
])('ends an older run %s, which undoes what it did first, and no newer one', async (_where, host) => {
  const one = await begin('one', 'cancel', host());
  await until(() => done.includes('one rest'));
  const two = await begin('two', 'cancel');
  expect(await statusOf(one)).toBe('cancelled');
  await until(() => done.includes('two rest'));
  expect(done).toEqual(['one work', 'one rest', 'one ~work', 'two work', 'two rest']);
  open.add('two');
  expect(await statusOf(two)).toBe('ok');
});

it('does not end a newer run when an older one is resumed', async () => {
  const old = await leftBehind();
  const one = await begin('one', 'cancel');
  await until(() => done.includes('one rest'));
  await resumeRun(here.ledger, old, by);
  const resumed = goOn('old', old, 'cancel');
  await until(() => resumed.waits.length > 0);
  open.add('one');
  open.add('old');
  expect([await statusOf(one), await statusOf(resumed)]).toEqual(['ok', 'ok']);
  expect(done).toEqual(['one work', 'one rest', 'old work', 'old rest']);
});

it('refuses a second run, on record, and leaves one that was resumed as it was', async () => {
  const old = await leftBehind();
  const one = await begin('one', 'refuse');
  await until(() => done.includes('one rest'));
  const two = await begin('two', 'refuse');
  await expect(pumped(here.env, two.ended)).rejects.toMatchObject({ code: 'GROUP_BUSY' });
  expect(readRun(here.ledger, two.run)).toMatchObject({ status: 'failed', reason: expect.stringContaining(one.run) });
  await resumeRun(here.ledger, old, by);
  await expect(pumped(here.env, goOn('old', old, 'refuse').ended)).rejects.toMatchObject({ code: 'GROUP_BUSY' });
  expect(readRun(here.ledger, old)).toMatchObject({ status: 'waiting', endedAt: undefined });
  open.add('one');
  expect(await statusOf(one)).toBe('ok');
});

it('begins nothing of a run that is cancelled or stopped while it waits', async () => {
  const one = await begin('one', 'wait');
  await until(() => done.includes('one rest'));
  const [two, three] = [await begin('two', 'wait'), await begin('three', 'wait')];
  await until(() => two.waits.length > 0 && three.waits.length > 0);
  await cancelRun(here.ledger, two.run, by, 'changed my mind');
  three.stop.abort();
  expect([await statusOf(two), await statusOf(three)]).toEqual(['cancelled', 'cancelled']);
  expect(readRun(here.ledger, two.run).reason).toBe('Cancelled by ada: changed my mind');
  open.add('one');
  expect(await statusOf(one)).toBe('ok');
  expect(done).toEqual(['one work', 'one rest']);
});

it('takes its turn again after its driver died, once the lock of the dead has ended', async () => {
  const run = await leftBehind();
  await here.state.locks.acquire(turnLock('deploy'), runOwner(run), lockTtlMs(graceMs));
  const from = here.env.now();
  await resumeRun(here.ledger, run, by);
  const again = goOn('again', run, 'wait');
  open.add('again');
  await until(() => done.includes('again work'));
  expect(here.env.now() - from).toBeGreaterThanOrEqual(lockTtlMs(graceMs) - 2000);
  expect(await statusOf(again)).toBe('ok');
});

it('stops what runs when its turn is lost, and leaves the run to be resumed', async () => {
  const one = await begin('one', 'wait');
  await until(() => done.includes('one rest'));
  const held = await here.state.locks.holder(turnLock('deploy'));
  await here.state.locks.release(turnLock('deploy'), held?.token ?? 0);
  await expect(pumped(here.env, one.ended)).rejects.toMatchObject({ code: 'LOCK_LOST' });
  const state = readRun(here.ledger, one.run);
  expect([state.endedAt, state.stages.get('rest')?.status]).toEqual([undefined, 'failed']);
  expect(done).toEqual(['one work', 'one rest']);
});

/** A run that nobody drives any more. */
async function leftBehind(): Promise<string> {
  const ids = idSource(here.env);
  const artifacts = fileArtifacts(join(here.dir, 'artifacts'), ids);
  const from = { text: 'left', file: 'p.yaml', params: {} };
  const run = await startRun({ ledger: here.ledger, artifacts, ids }, pipelineOf('wait'), from, by);
  // The same process lives on here, so that its mark says nothing.
  await here.ledger.append({ kind: 'run', run, body: { step: 'waiting', approvals: [] } });
  here.env.advance(1);
  return run;
}
