/**
 * Kills what runs, here by SIGKILL, elsewhere by the word of its governor, and does not take its own signal for an
 * answer: a run has ended when none of its processes is left, and on another host when that host has said so.
 */
import type { LiveRun, State } from '../../../adapters/state/port.ts';
import { processStart } from '../../../governance/governor/index.ts';
import { AgovError, type Env, formatDuration, systemCode } from '../../../kernel/index.ts';
import { isRunning, lookAtProcesses, type Process } from './table.ts';

export interface EndParts {
  readonly env: Env;
  readonly state: State;
  /** `host/boot-id` of this machine. */
  readonly host: string;
  readonly deadlineMs: number;
  /** What ran before anything was announced: some of it is dead by the time that we look. */
  readonly before: readonly LiveRun[];
}

export type Wants = (run: LiveRun) => boolean;

interface Waiting extends PromiseWithResolvers<string> {
  readonly wants: Wants;
  readonly seen: Map<string, LiveRun>;
}

const herePauseMs = 3;
const elsewherePauseMs = 15;
/** What forks faster than it dies, or started meanwhile, is found by then. */
const lookAgainMs = 50;

/**
 * For each of `wanted`, a sentence for the record once nothing of it runs; rejects with an AgovError that names what still
 * runs and where. One look serves all, so that a hundred agents cost little more than one.
 */
export function endProcesses(parts: EndParts, wanted: readonly Wants[]): readonly Promise<string>[] {
  const all = wanted.map((wants): Waiting => {
    const seen = new Map(parts.before.filter(wants).map((run) => [run.intent, run]));
    return { ...Promise.withResolvers<string>(), wants, seen };
  });
  loop(parts, new Set(all)).catch((error: unknown) => {
    for (const waiting of all) waiting.reject(error);
  });
  return all.map(({ promise }) => promise);
}

async function loop({ env, state, host, deadlineMs }: EndParts, waiting: Set<Waiting>): Promise<void> {
  const until = env.monotonic() + deadlineMs;
  const killed = new Map<string, readonly Process[]>();

  for (;;) {
    const live = (await state.registry.liveRuns()).filter((run) => [...waiting].some(({ wants }) => wants(run)));
    const table = live.some((run) => run.host === host) ? lookAtProcesses() : undefined;
    const left: LiveRun[] = [];
    for (const run of live) {
      const members = run.host === host ? (table?.membersOf(run) ?? []) : [];
      for (const member of members) kill(member);
      killed.set(run.intent, [...(killed.get(run.intent) ?? []), ...members].filter(isRunning));
      const stays = members.length > 0 || (killed.get(run.intent)?.length ?? 0) > 0;
      if (stays || !(await isOver(run, host, state))) left.push(run);
    }
    for (const one of waiting) {
      for (const run of live.filter(one.wants)) one.seen.set(run.intent, run);
      const rest = left.filter(one.wants);
      if (rest.length > 0 && env.monotonic() <= until) continue;
      if (rest.length > 0) one.reject(stillRunning(rest, env, deadlineMs));
      else one.resolve(summary([...one.seen.values()], host));
      waiting.delete(one);
    }
    if (waiting.size === 0) return;
    await settle(env, killed, left.some((run) => run.host === host) ? herePauseMs : elsewherePauseMs);
  }
}

/** Time for what was killed to die, watched at little cost: a look at everything takes what the dying need themselves. */
async function settle(env: Env, killed: ReadonlyMap<string, readonly Process[]>, pauseMs: number): Promise<void> {
  const until = env.monotonic() + lookAgainMs;
  do await env.sleep(pauseMs);
  while (env.monotonic() < until && [...killed.values()].some((members) => members.some(isRunning)));
}

/** Of a run that has no process here that we could find. */
async function isOver(run: LiveRun, host: string, state: State): Promise<boolean> {
  // Its governor takes it off the list when it has killed it.
  if (run.host !== host && !isEarlierBoot(run.host, host)) return false;
  if (run.host === host && processStart(run.governorPid) !== undefined) {
    // Without a sandbox only the governor finds what has left the session: by a mark in its environment.
    return run.sandbox === 'bubblewrap';
  }
  // Nobody else will take it off the list.
  await state.registry.endRun(run.intent);
  return true;
}

/** Whether `theirs` is this machine before it was started again: nothing of that time runs. */
function isEarlierBoot(theirs: string, ours: string): boolean {
  const name = (host: string): string => host.slice(0, host.lastIndexOf('/'));
  return theirs !== ours && name(theirs) === name(ours) && name(ours) !== '';
}

function kill({ pid }: Process): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Whoever is still there after the deadline is named; one that we may not kill keeps no other alive.
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
  }
}

function summary(seen: readonly LiveRun[], host: string): string {
  if (seen.length === 0) return 'none was running';
  const elsewhere = new Set(seen.filter((run) => run.host !== host).map((run) => nameOf(run.host)));
  const where = elsewhere.size > 0 ? `, on ${[...elsewhere].join(', ')} too` : '';
  // A process that had left its session and dropped its mark is beyond what can be known without a sandbox.
  const unsure = seen.some((run) => run.sandbox === 'none') ? '; without a sandbox, one that hid may live' : '';
  return `${seen.length} stopped${where}${unsure}`;
}

function stillRunning(left: readonly LiveRun[], env: Env, deadlineMs: number): AgovError {
  const who = left.slice(0, 10).map((run) => {
    const heard = formatDuration(Math.max(0, env.now() - run.beatAt));
    return `process ${run.processGroup} on ${nameOf(run.host)} (run ${run.run}, agent ${run.agent}, last heard of ${heard} ago)`;
  });
  const more = left.length > 10 ? ` and ${left.length - 10} more` : '';
  return new AgovError('INTERNAL', {
    what: `Not confirmed dead after ${formatDuration(deadlineMs)}: ${who.join('; ')}${more}.`,
  });
}

function nameOf(host: string): string {
  return host.split('/')[0] ?? host;
}
