/** What the command line cannot show: other hosts, an authority that fails, orders that overtake each other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { LiveRun } from '../../adapters/state/port.ts';
import { processStart } from '../../governance/governor/index.ts';
import { AgovError, systemEnv } from '../../kernel/index.ts';
import { ledgerRoster } from '../../work/agents/index.ts';
import {
  freeze,
  type KillIdentities,
  type KillParts,
  kill,
  retryKills,
  stopAgent,
  thaw,
  unfinishedKills,
} from './index.ts';

const env = systemEnv();
const why = { by: { operator: 'ada', user: 'ada' }, reason: 'it lied' };
let one: Governed;
let parts: KillParts;
let children: ChildProcess[];
beforeEach(async () => {
  one = await governed({ agents: { bob: 'T1', amy: 'T1', zed: 'T0' } });
  const { ledger, state } = one;
  parts = {
    env,
    ledger,
    host: 'here/boot-2',
    state: async () => state,
    secrets: async () => undefined,
    deadlineMs: 60,
  };
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await one[Symbol.asyncDispose]();
});

async function sleeper(): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  children.push(child);
  return child as ChildProcess & { pid: number }; // it has spawned
}

async function listed(change: Partial<LiveRun> = {}): Promise<void> {
  await one.state.registry.startRun({
    ...{ intent: 'intent', run: 'run', agent: 'bob', host: 'here/boot-2', sandbox: 'bubblewrap' },
    ...{ governorPid: 4_194_304, processGroup: 4_194_304, processStart: '1', startedAt: 1, beatAt: env.now() },
    ...change,
  });
}

const stepOf = (
  report: { steps: readonly { step: string; ok: boolean; detail: string }[] } | undefined,
  step: string,
) => report?.steps.find((found) => found.step === step);
const statusOf = async (name: string) => (await one.state.registry.get(name))?.status;

/** An authority that remembers what it was asked, and answers once it may. */
function authority(fails = false) {
  const asked: string[] = [];
  const answer = async <T>(what: string, value: T): Promise<T> => {
    asked.push(what);
    if (door.fails) throw new AgovError('SECRETS_UNAVAILABLE', { what: 'Vault is sealed.' });
    return value;
  };
  const door = { fails, asked };
  const identities: KillIdentities = {
    suspend: (agent) => answer(`suspend ${agent}`, true),
    restore: (agent) => answer(`restore ${agent}`, true),
    revoke: (agent) => answer(`revoke ${agent}`, { known: true, tokens: 2 }),
    revokeTier: (tier) => answer(`tier ${tier}`, { known: true, tokens: 5 }),
  };
  return Object.assign(door, { identities: async () => identities });
}

it('names the host and the run that did not confirm, keeps the order open, and closes it once it has', async () => {
  await listed({ host: 'web-2/boot', processGroup: 77 });
  const [report] = await kill(parts, { agent: 'bob' }, why);
  const failed = stepOf(report, 'processes');
  expect(failed).toMatchObject({
    ok: false,
    detail: expect.stringContaining('process 77 on web-2 (run run, agent bob'),
  });
  expect(unfinishedKills(one.ledger)).toMatchObject([
    { order: report?.order, agent: 'bob', deed: 'kill', failed: [{ step: 'processes' }] },
  ]);
  const before = await one.state.events.last();
  const [again] = await retryKills(parts);
  expect(again?.steps.map(({ step, ok }) => [step, ok])).toEqual([
    ['announce', true],
    ['processes', false],
  ]);
  expect(await one.state.events.last()).toBeGreaterThan(before);
  const said = one.ledger.query({ kinds: ['kill'], parent: report?.order ?? '' });
  expect(said, 'nothing new is on record').toHaveLength(1);
  await one.state.registry.endRun('intent');
  const [done] = await retryKills(parts);
  expect(done?.steps.every(({ ok }) => ok)).toBe(true);
  expect([unfinishedKills(one.ledger), await retryKills(parts)]).toEqual([[], []]);
});

it('waits for the word of another host', async () => {
  await listed({ host: 'web-2/boot' });
  const killing = kill({ ...parts, deadlineMs: 5000 }, { agent: 'bob' }, why);
  for await (const event of one.state.events.follow(AbortSignal.timeout(5000), 0)) {
    expect(event.body).toMatchObject({ agents: ['bob'], became: 'revoked' });
    expect(await statusOf('bob'), 'marked before it is announced').toBe('revoked');
    break;
  }
  await one.state.registry.endRun('intent');
  expect(stepOf((await killing)[0], 'processes')).toMatchObject({ ok: true, detail: '1 stopped, on web-2 too' });
});

it('knows that what ran before this machine was started again is dead', async () => {
  await listed({ host: 'here/boot-1', processGroup: process.pid });
  const [report] = await kill(parts, { agent: 'bob' }, why);
  expect(stepOf(report, 'processes')).toMatchObject({ ok: true });
  expect(await one.state.registry.liveRuns()).toEqual([]);
});

it('kills nobody who has been given the number of a process that is gone', async () => {
  const innocent = await sleeper();
  await listed({ processGroup: innocent.pid });
  const [report] = await kill(parts, { agent: 'bob' }, why);
  expect(stepOf(report, 'processes')).toMatchObject({ ok: true });
  expect(process.kill(innocent.pid, 0)).toBe(true);
  expect(await one.state.registry.liveRuns(), 'whose governor is gone is taken off the list').toEqual([]);
});

it('ends what runs of its own, and takes off the list what a dead governor left there', async () => {
  const child = await sleeper();
  const gone = once(child, 'exit');
  await listed({ processGroup: child.pid, processStart: processStart(child.pid) ?? '' });
  const [report] = await kill(parts, { agent: 'bob' }, why);
  expect(stepOf(report, 'processes')).toMatchObject({ ok: true, detail: '1 stopped' });
  expect(await gone).toEqual([null, 'SIGKILL']);
});

it('waits for the governor where no sandbox holds the processes together', async () => {
  await listed({ sandbox: 'none', governorPid: process.pid });
  expect(stepOf((await kill(parts, { agent: 'bob' }, why))[0], 'processes')).toMatchObject({ ok: false });
  await one.state.registry.endRun('intent');
  expect(stepOf((await retryKills(parts))[0], 'processes')).toMatchObject({ ok: true });
});

it('kills a whole tier by one event, and nobody else', async () => {
  const before = await one.state.events.last();
  const reports = await kill(parts, { tier: 'T1' }, why);
  expect(reports.map(({ agent }) => agent).sort()).toEqual(['amy', 'bob']);
  const events = await one.state.events.read(before);
  expect(events.map(({ body }) => body['agents'])).toEqual([['bob', 'amy']]);
  expect([await statusOf('amy'), await statusOf('bob'), await statusOf('zed')]).toEqual([
    'revoked',
    'revoked',
    'active',
  ]);
  const kinds = one.ledger.query({ after: 2 }).map(({ kind, body }) => `${kind} ${body['step']}`);
  const record = ['agent revoked', 'kill ordered'];
  expect(kinds).toEqual([...record, ...record, 'kill done', 'kill done']);
});

it('does not wait for an authority that fails to kill, names it, and revokes there later', async () => {
  const vault = authority(true);
  await listed({ processGroup: 4_194_304 });
  const [report] = await kill({ ...parts, ...vault }, { agent: 'bob' }, why);
  expect(stepOf(report, 'identity')).toMatchObject({ ok: false, detail: expect.stringContaining('sealed') });
  expect(stepOf(report, 'processes')).toMatchObject({ ok: true });
  expect((await retryKills({ ...parts, ...vault, skip: ['identity'] }))[0]).toMatchObject({
    steps: [{ step: 'identity', ok: false }],
  });
  vault.fails = false;
  const [done] = await retryKills({ ...parts, ...vault });
  expect(done?.steps).toMatchObject([{ step: 'identity', ok: true, detail: 'disabled, 2 tokens ended' }]);
  expect(vault.asked).toEqual(['revoke bob', 'revoke bob']);
});

it('ends the tokens of a tier at once, after it is on record', async () => {
  const vault = authority();
  await kill({ ...parts, ...vault }, { tier: 'T1' }, why);
  expect(vault.asked.sort()).toEqual(['revoke amy', 'revoke bob', 'tier T1']);
});

it('finds its agents and keeps its order while the state is away', async () => {
  const away = () => Promise.reject(new AgovError('STATE_UNAVAILABLE', { what: 'It refuses connections.' }));
  const [report] = await kill({ ...parts, state: away }, { agent: 'bob' }, why);
  expect(report?.steps.map(({ step, ok }) => `${step} ${ok}`)).toEqual([
    ...['record true', 'mark false', 'announce false', 'identity true'],
    ...['leases true', 'locks false', 'processes false'],
  ]);
  expect(await statusOf('bob')).toBe('active');
  await retryKills(parts);
  expect([await statusOf('bob'), unfinishedKills(one.ledger)]).toEqual(['revoked', []]);
});

it('suspends and restores the identity, and lets no unfinished freeze undo a thaw', async () => {
  const vault = authority(true);
  await freeze({ ...parts, ...vault }, { agent: 'bob' }, why);
  expect([await statusOf('bob'), unfinishedKills(one.ledger).length]).toEqual(['frozen', 1]);
  vault.fails = false;
  const [thawed] = (await thaw({ ...parts, ...vault }, { agent: 'bob' }, why)).thawed;
  expect(thawed?.steps.map(({ step }) => step)).toEqual(['record', 'mark', 'identity']);
  const [overtaken] = await retryKills({ ...parts, ...vault });
  expect(overtaken?.steps).toMatchObject([{ detail: 'overtaken by a later act' }]);
  expect([vault.asked, await statusOf('bob')]).toEqual([['suspend bob', 'restore bob'], 'active']);
});

it('lets a kill win over a thaw of the same moment, in whichever order they are recorded', async () => {
  await freeze(parts, { agent: 'bob' }, why);
  const roster = ledgerRoster(one.ledger, one.state.registry);
  // As by another process, which looked at the agent before the kill.
  const late = one.ledger.append({
    kind: 'agent',
    agent: 'bob',
    tier: 'T1',
    body: { step: 'thawed', tier: 'T1', ...why.by, reason: 'too late' },
  });
  await Promise.all([kill(parts, { agent: 'bob' }, why), late]);
  await one.ledger.append({ kind: 'agent', agent: 'bob', tier: 'T1', body: { step: 'thawed', tier: 'T1', ...why.by } });
  await roster.reconcile();
  expect(await statusOf('bob')).toBe('revoked');
});

it('stops by a demotion what was started before it, and not what was started since', async () => {
  const [old, young] = [await sleeper(), await sleeper()];
  const of = (child: { pid: number }) => ({ processGroup: child.pid, processStart: processStart(child.pid) ?? '' });
  await listed({ intent: 'old', ...of(old) });
  await listed({ intent: 'young', ...of(young), startedAt: env.now() + 60_000 });
  const agent = await ledgerRoster(one.ledger, one.state.registry).move('bob', 'T0', why.by, 'less trust');
  const report = await stopAgent(parts, agent, why);
  expect(stepOf(report, 'processes')).toMatchObject({ ok: true, detail: '1 stopped' });
  expect([processStart(old.pid), process.kill(young.pid, 0)]).toEqual([undefined, true]);
});

it('tells every second what it still waits for', async () => {
  await listed({ host: 'web-2/boot' });
  const told: string[] = [];
  await kill({ ...parts, deadlineMs: 1100, onProgress: (text) => told.push(text) }, { agent: 'bob' }, why);
  expect(told).toEqual(['Still busy with processes (1) …']);
});

it('stops what runs although the ledger takes no entry, and says that this is all', async () => {
  const child = await sleeper();
  const start = processStart(child.pid);
  await listed({ processGroup: child.pid, processStart: start ?? '', sandbox: 'none' });
  const full = new AgovError('DISK_FULL', { what: 'No space is left.' });
  const away = { ...parts, deadlineMs: 5000, ledger: { ...one.ledger, append: () => Promise.reject(full) } };
  const gone = once(child, 'exit');
  const said = await kill(away, { agent: 'bob' }, why).catch((error: unknown) => error);
  expect(said).toMatchObject({ code: 'DISK_FULL', what: expect.stringContaining('was stopped, and the kill is not') });
  await gone;
  expect(await statusOf('bob')).toBe('active');
  await expect(thaw(away, { agent: 'bob' }, why)).rejects.toThrow();
  expect((await kill(parts, { agent: 'bob' }, why))[0]?.steps.every(({ ok }) => ok)).toBe(true);
});

it('closes what the killed had asked for, and nothing else', async () => {
  const intent = { action: 'infra.apply', resource: 'dev', args: { plan: 'a'.repeat(64) } } as const;
  const facts = { plan: { environment: 'dev', creates: 1, changes: 0, destroys: 0 } };
  const ask = async (agent: string, run: string, changes: number): Promise<string> => {
    const channel = one.channel(agent, run);
    const args = { ...intent.args, changes };
    const begun = await one.governor.begin(channel, { ...intent, args }, { facts });
    return begun.verdict === 'ask' ? begun.approval.id : begun.verdict;
  };
  const [lost, kept, amys] = [await ask('bob', 'r1', 1), await ask('bob', 'r2', 2), await ask('amy', 'r3', 3)];
  const waiting = () => one.approvals.pending().map(({ id }) => id);
  expect(waiting()).toEqual([lost, kept, amys]);
  const [run] = await kill(parts, { run: 'r1' }, why);
  expect([waiting(), stepOf(run, 'record')?.detail]).toEqual([[kept, amys], 'on record; 1 open approval closed']);
  await freeze(parts, { agent: 'amy' }, why);
  const [agent] = await kill(parts, { agent: 'bob' }, why);
  expect([waiting(), stepOf(agent, 'record')?.detail]).toEqual([[amys], 'active until now; 1 open approval closed']);
});

it('takes a freeze for one with a cause where any order names the agent, or none is there', async () => {
  const roster = ledgerRoster(one.ledger, one.state.registry);
  await freeze(parts, { all: true }, why);
  await freeze(parts, { agent: 'bob' }, { ...why, reason: 'its invitation was opened' });
  await thaw(parts, { agent: 'amy' }, why);
  await roster.freeze('amy', why.by, 'by a step without an order');
  const { thawed, left } = await thaw(parts, { all: true }, why);
  expect([thawed.map(({ agent }) => agent), left.map(({ name }) => name)]).toEqual([['zed'], ['bob', 'amy']]);
  expect(await Promise.all(['bob', 'amy', 'zed'].map(statusOf))).toEqual(['frozen', 'frozen', 'active']);
});

it('reads the scope of orders that it finishes later', async () => {
  const vault = authority(true);
  await freeze({ ...parts, ...vault }, { tier: 'T1' }, why);
  expect(unfinishedKills(one.ledger).map(({ agent }) => agent)).toEqual(['bob', 'amy']);
  vault.fails = false;
  await retryKills({ ...parts, ...vault });
  expect((await thaw({ ...parts, ...vault }, { all: true }, why)).left).toHaveLength(2);
  expect((await thaw({ ...parts, ...vault }, { tier: 'T1' }, why)).thawed).toHaveLength(2);
});

it('finishes later what it began of an agent that only another host knows', async () => {
  await one.state.registry.put({ ...(await zed()), name: 'far', tier: 'T2' });
  await listed({ agent: 'far', host: 'web-2/boot' });
  const [report] = await kill(parts, { tier: 'T2' }, why);
  expect([report?.agent, stepOf(report, 'processes')?.ok]).toEqual(['far', false]);
  await one.state.registry.put({ ...(await zed()), name: 'far', tier: 'T2' });
  await one.state.registry.endRun('intent');
  const [done] = await retryKills(parts);
  expect([done?.agent, done?.steps.every(({ ok }) => ok)]).toEqual(['far', true]);
  await ledgerRoster(one.ledger, one.state.registry).reconcile();
  expect(await statusOf('far')).toBe('revoked');
});

it('says that nobody can be found elsewhere while the state is away, and kills by name at home all the same', async () => {
  const away = { ...parts, state: () => Promise.reject(new AgovError('STATE_UNAVAILABLE', { what: 'It is away.' })) };
  await expect(kill(away, { agent: 'far' }, why)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  const [report] = await kill(away, { agent: 'bob' }, why);
  expect([report?.agent, stepOf(report, 'mark')?.ok]).toEqual(['bob', false]);
});

async function zed() {
  return ledgerRoster(one.ledger, one.state.registry).get('zed');
}
