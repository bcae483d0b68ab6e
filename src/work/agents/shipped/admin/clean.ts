/**
 * Cleaning up after agents: branches that were merged, with their folders, and on request what was left long ago. Never
 * what an operator made, never what is an agent's that is at work, never what would be lost; in doubt it stays.
 */
import type { Agent } from '../../../../agent-client/index.ts';
import { use, Waiting } from '../frame/acts.ts';
import type { Given } from '../frame/advice.ts';
import { lines, succeeds, word } from '../frame/git.ts';
import type { AdminInput } from '../inputs.ts';
import { reviewPrefix } from './review.ts';

export interface Cleaned {
  readonly removed: readonly { readonly branch: string; readonly commit: string }[];
  readonly kept: readonly { readonly branch: string; readonly why: string }[];
  /** Held by runs that have no process any more: they end by themselves. */
  readonly locks: readonly { readonly name: string; readonly holder: string; readonly expiresAt: string }[];
}

const dayMs = 86_400_000;

export async function cleanUp(agent: Agent, { input }: Given<AdminInput>): Promise<Cleaned> {
  const { me, busy, live, now } = await whatRuns(agent);
  const removed: Cleaned['removed'][number][] = [];
  const kept: Cleaned['kept'][number][] = [];
  const refs = await lines(['for-each-ref', '--format=%(objectname) %(refname:lstrip=2)', 'refs/heads/agov/']);
  for (const ref of refs) {
    const [commit = '', branch = ''] = ref.split(' ');
    const owner = branch.split('/')[1] ?? '';
    // Of a review of its own that was broken off: it holds another branch's commit, and nothing more.
    const isOwnReview = owner === me && branch.startsWith(`agov/${me}/${reviewPrefix}`);
    const idle = isOwnReview ? undefined : await reasonToKeep(branch, commit, input, now);
    const why = busy.has(owner) ? 'its agent is at work.' : idle;
    const refused = why ?? (await discard(agent, branch, input));
    if (refused === undefined) removed.push({ branch, commit });
    else kept.push({ branch, why: refused });
  }
  return { removed, kept, locks: await locksLeft(agent, live) };
}

interface Runs {
  readonly me: string;
  /** Other agents with a process, and this one where it has another. */
  readonly busy: ReadonlySet<string>;
  readonly live: ReadonlySet<string>;
  /** Milliseconds since the epoch, by the governor: when this run's process was begun. */
  readonly now: number;
}

/** @throws where it is not told: then everything may be somebody's */
async function whatRuns(agent: Agent): Promise<Runs> {
  const told = await agent.runs();
  if (told.verdict !== 'allow') throw new Error(`What runs is not told: ${told.reasons.join(' ')}`);
  if (told.more) throw new Error('Too much runs to tell what is left.');
  const { agent: me } = await agent.whoami();
  const isOwn = (run: (typeof told.runs)[number]): boolean => run.mine && run.agent === me;
  const own = told.runs.find(isOwn);
  return {
    me,
    busy: new Set(told.runs.filter((run) => !isOwn(run)).map((run) => run.agent)),
    live: new Set(told.runs.map(({ run }) => run)),
    now: own ? Date.parse(own.since) : 0,
  };
}

/** Undefined where it may go. */
async function reasonToKeep(
  branch: string,
  commit: string,
  { into, olderThan, unmerged }: AdminInput,
  now: number,
): Promise<string | undefined> {
  const isMerged = await succeeds(['merge-base', '--is-ancestor', commit, `refs/heads/${into}`]);
  // One that was begun and holds nothing yet stands on the target's own line; merges never do.
  const isBegun = isMerged && (await lines(['rev-list', '--first-parent', `refs/heads/${into}`])).includes(commit);
  if (isMerged && !isBegun) return undefined;
  const what = isBegun ? 'nothing was done on it yet' : `it is not merged into ${into}`;
  if (olderThan === undefined || !(isBegun || unmerged)) return `${what}.`;
  const movedAt = await lastMove(branch);
  const isOld = movedAt !== undefined && now > 0 && now - movedAt > olderThan * dayMs;
  return isOld ? undefined : `${what}, and it is not older than ${olderThan} days.`;
}

/** By git's own journal of the branch; a commit may be old and its branch new. */
async function lastMove(branch: string): Promise<number | undefined> {
  const entry = await word(['log', '-g', '-1', '--date=unix', '--format=%gd', `refs/heads/${branch}`, '--']);
  const seconds = /@\{(\d+)\}$/.exec(entry ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** Undefined where it is gone; else why not. */
async function discard(agent: Agent, branch: string, { unmerged }: AdminInput): Promise<string | undefined> {
  try {
    await use(agent, 'git.discard', { branch, unmerged });
    return undefined;
  } catch (error) {
    if (error instanceof Waiting) return 'operators must consent to it.';
    return error instanceof Error ? error.message : String(error);
  }
}

interface Told {
  readonly verdict: string;
  readonly locks?: readonly { readonly name: string; readonly holder: string; readonly expiresAt: string }[];
}

async function locksLeft(agent: Agent, live: ReadonlySet<string>): Promise<Cleaned['locks']> {
  const told = (await agent.call('locks')) as unknown as Told; // by the operation's schema
  return (told.locks ?? [])
    .filter(({ holder }) => ![...live].some((run) => holder.includes(run)))
    .map(({ name, holder, expiresAt }) => ({ name, holder, expiresAt }));
}
