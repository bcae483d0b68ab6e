/**
 * Carries orders out that are on record. The mark and the event come first: from there on every governor refuses the
 * agent, and those that run something for it kill it. Then, side by side, its identity with its leases, and its
 * processes: an authority that does not answer must not keep a process alive. Locks go when the processes have gone.
 */
import type { LiveRun } from '../../../adapters/state/port.ts';
import { announceHalt, heldFor, putActs } from '../../../work/agents/index.ts';
import type { Deed, KillParts, KillStep, StepName, Subject } from '../types.ts';
import { endProcesses } from './processes.ts';
import { openSteps } from './steps.ts';

export interface Task {
  readonly subject: Subject;
  readonly wants: ReadonlySet<StepName>;
}

const stepsOf: Readonly<Record<Deed, readonly StepName[]>> = {
  kill: ['mark', 'announce', 'identity', 'leases', 'locks', 'processes'],
  freeze: ['mark', 'announce', 'identity', 'leases', 'locks', 'processes'],
  thaw: ['identity', 'mark'],
  move: ['announce', 'leases', 'locks', 'processes'],
};

/** The steps of each task, in its order. Never rejects for a step that failed. */
export async function carryOut(
  parts: KillParts,
  tasks: readonly Task[],
): Promise<ReadonlyMap<Subject, readonly KillStep[]>> {
  using steps = openSteps(parts.env, parts.onProgress);
  const doing = (step: StepName): readonly Subject[] =>
    tasks
      .filter(({ subject, wants }) => wants.has(step) && stepsOf[subject.deed].includes(step))
      // A run has no identity of its own.
      .filter(({ subject }) => step !== 'identity' || subject.agent !== undefined)
      .map(({ subject }) => subject);
  const thawed = doing('mark').filter(({ deed }) => deed === 'thaw');

  const before = doing('processes').length > 0 ? whatRuns(parts) : Promise.resolve([]);
  const marked = doing('mark').filter(({ deed }) => deed !== 'thaw');
  const [agents, stopped] = [
    marked.filter(({ run }) => run === undefined),
    marked.filter(({ run }) => run !== undefined),
  ];
  await Promise.all([
    steps.runOnce('mark', agents, () => markAgents(parts, agents)),
    steps.runEach('mark', stopped, (subject) => markRun(parts, subject)),
  ]);
  await Promise.all(
    [...Map.groupBy(doing('announce'), became)].map(([text, subjects]) =>
      steps.runOnce('announce', subjects, () => announce(parts, subjects, text)),
    ),
  );

  const authority = async (): Promise<void> => {
    await steps.runEach('identity', doing('identity'), (subject) => changeIdentity(parts, subject));
    await endLeases(parts, doing('leases'), steps.run);
  };
  const here = async (): Promise<void> => {
    await killProcesses(parts, doing('processes'), await before, steps.run);
    await releaseLocks(parts, doing('locks'), steps.run);
  };
  await Promise.all([authority(), here()]);
  // Whoever is thawed may act only once its identity is there again.
  await steps.runOnce('mark', thawed, () => markAgents(parts, thawed));
  return new Map(tasks.map(({ subject }) => [subject, steps.of(subject)]));
}

type Run = ReturnType<typeof openSteps>['run'];

/** By one write. Another may have killed one of them at the same moment: what counts is the ledger. */
async function markAgents({ state, ledger }: KillParts, subjects: readonly Subject[]): Promise<string> {
  const { registry } = await state();
  const agents = subjects.flatMap(({ agent }) => (agent ? [agent] : []));
  await putActs(ledger, registry, agents);
  return `marked ${[...new Set(agents.map(({ status }) => status))].join(', ')}`;
}

async function markRun({ state }: KillParts, { run = '', why }: Subject): Promise<string> {
  const { registry } = await state();
  await registry.stopRun({ run, reason: why.reason.slice(0, 4096) });
  return 'the run starts nothing more';
}

function became({ deed, agent, run, why }: Subject): string {
  if (run !== undefined) return `stopped: ${why.reason}`;
  // What is below a lead that was frozen stands still with it.
  if (deed === 'move' && agent?.parent !== undefined) return `stopped: ${why.reason}`;
  if (deed === 'move') return `moved to ${agent?.tier ?? 'another tier'}`;
  return deed === 'freeze' ? 'frozen' : 'revoked';
}

async function announce({ state }: KillParts, subjects: readonly Subject[], text: string): Promise<string> {
  const { events } = await state();
  const agents = subjects.flatMap(({ agent }) => (agent ? [agent.name] : []));
  const runs = subjects.flatMap(({ run }) => (run === undefined ? [] : [run]));
  return `event ${await announceHalt(events, { agents, runs, became: text })}`;
}

async function changeIdentity({ identities }: KillParts, { agent, deed }: Subject): Promise<string> {
  const authority = await identities?.();
  if (!authority || !agent) return 'none outside the ledger';
  if (deed === 'thaw') return (await authority.restore(agent.name)) ? 'enabled' : 'it has none';
  if (deed === 'freeze') return (await authority.suspend(agent.name)) ? 'disabled' : 'it has none';
  const { known, tokens } = await authority.revoke(agent.name);
  return known ? `disabled, ${tokens} tokens ended` : 'it has none';
}

/** One list serves all. */
async function endLeases({ ledger, secrets }: KillParts, subjects: readonly Subject[], run: Run): Promise<void> {
  if (subjects.length === 0) return;
  const listing = secrets().then(async (store) => ({ store, leases: (await store?.leases()) ?? [] }));
  listing.catch(() => undefined); // each subject's step tells it
  const end = async ({ agent, run: id }: Subject): Promise<string> => {
    const { store, leases } = await listing;
    const mine = leases.filter((lease) => {
      const intent = ledger.byId(lease.intent);
      return agent ? intent?.agent === agent.name : intent?.run === id;
    });
    const ends = await Promise.allSettled(mine.map((lease) => store?.end(lease.id)));
    const failed = ends.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    return mine.length === 0 ? 'none was held' : `${mine.length} ended`;
  };
  await Promise.all(subjects.map((subject) => run('leases', subject, () => end(subject))));
}

/** For the report alone: a step that needs the state tells that it is away. */
async function whatRuns({ state }: KillParts): Promise<readonly LiveRun[]> {
  return state()
    .then(({ registry }) => registry.liveRuns())
    .catch(() => []);
}

async function killProcesses(
  parts: KillParts,
  subjects: readonly Subject[],
  before: readonly LiveRun[],
  run: Run,
): Promise<void> {
  if (subjects.length === 0) return;
  const { env, host, deadlineMs = 10_000 } = parts;
  const ending = parts
    .state()
    .then((state) => endProcesses({ env, state, host, deadlineMs, before }, subjects.map(wanted)));
  const end = async (i: number): Promise<string> => (await (await ending)[i]) ?? '';
  await Promise.all(subjects.map((subject, i) => run('processes', subject, () => end(i))));
}

function wanted({ agent, run, deed, orderedAt }: Subject): (live: LiveRun) => boolean {
  if (!agent) return (live) => live.run === run;
  // What was started since runs by the tier that the agent has now.
  if (deed === 'move') return (live) => live.agent === agent.name && live.startedAt <= orderedAt;
  return (live) => live.agent === agent.name;
}

/** By their tokens: one that has passed on meanwhile is another's, and stays. One list serves all. */
async function releaseLocks({ state }: KillParts, subjects: readonly Subject[], run: Run): Promise<void> {
  if (subjects.length === 0) return;
  const listing = state().then(async ({ locks }) => ({ locks, held: await locks.held() }));
  listing.catch(() => undefined); // each subject's step tells it
  const release = async ({ agent, run: id }: Subject): Promise<string> => {
    const { locks, held } = await listing;
    const whose = agent ? { agent: agent.name } : { ...(id === undefined ? {} : { run: id }) };
    const mine = held.filter(({ owner }) => heldFor(owner, whose));
    for (const { name, token } of mine) await locks.release(name, token);
    return mine.length === 0 ? 'none was held' : `${mine.length} released: ${mine.map(({ name }) => name).join(', ')}`;
  };
  await Promise.all(subjects.map((subject) => run('locks', subject, () => release(subject))));
}
