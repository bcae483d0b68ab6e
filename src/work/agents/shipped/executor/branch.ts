/** The branch of a task: named so that the same task finds it again, and told apart from what somebody else has put there. */
import type { Agent } from '../../../../agent-client/index.ts';
import { digestOf } from '../frame/acts.ts';
import type { Given } from '../frame/advice.ts';
import { lines, word } from '../frame/git.ts';
import type { ExecutorInput } from '../inputs.ts';

export interface WorkPlace {
  readonly branch: string;
  /** `.worktrees/NAME`. */
  readonly within: string;
}

export async function placeFor(agent: Agent, { task, input }: Given<ExecutorInput>): Promise<WorkPlace> {
  const { agent: name } = await agent.whoami();
  const slug = input.branch ?? slugOf(task);
  return { branch: `agov/${name}/${slug}`, within: `.worktrees/${name}-${slug}` };
}

function slugOf(task: string): string {
  const words = task.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join('-').slice(0, 40).replace(/-+$/, '') || 'change';
}

/** Of what was asked: the same task twice is one change. */
export function idOf({ task, input }: Given<ExecutorInput>): string {
  const { patch, patchFile, commands, tests, from, message } = input;
  return digestOf([task, patch ?? null, patchFile ?? null, commands, tests, from ?? null, message ?? null]);
}

export type Earlier =
  | { readonly state: 'none' | 'begun' }
  | { readonly state: 'done'; readonly from: string; readonly commit: string }
  | { readonly state: 'foreign'; readonly why: string };

/** Only what this task has begun, and nobody has gone on with, is done again or taken for done. */
export async function earlier({ branch }: WorkPlace, id: string): Promise<Earlier> {
  const commit = await word(['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]);
  if (commit === undefined) return { state: 'none' };
  const own = await lines(['rev-list', '--max-count=2', commit, '--not', '--exclude=agov/*', '--branches', '--']);
  if (own.length === 0 && !(await isChange(commit, id))) return { state: 'begun' };
  if (own.length > 1) return { state: 'foreign', why: 'it holds more than one commit.' };
  if (!(await isChange(commit, id))) return { state: 'foreign', why: 'it holds the work of another task.' };
  const from = await word(['rev-parse', '--verify', '--quiet', `${commit}^1`]);
  return from === undefined ? { state: 'foreign', why: 'it has no beginning.' } : { state: 'done', from, commit };
}

async function isChange(commit: string, id: string): Promise<boolean> {
  return (await lines(['log', '-1', '--format=%B', commit, '--'])).includes(`Agov-Change: ${id}`);
}
