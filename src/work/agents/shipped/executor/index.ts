/**
 * `agov:executor` (T1) makes a change on a branch of its own: patch or commands in a working folder, tests without rights,
 * a commit, plans of the infrastructure that is touched. What it is given is somebody's word; so tests run without its
 * socket, and where anything fails nothing of it stays.
 */
import type { Agent, Json } from '../../../../agent-client/index.ts';
import { redactText } from '../../../../governance/redaction/index.ts';
import { Failed, use, Waiting } from '../frame/acts.ts';
import { asJson, type Given } from '../frame/advice.ts';
import { type Changes, changesBetween, ofGovernance } from '../frame/changes.ts';
import { count } from '../frame/text.ts';
import type { ExecutorInput } from '../inputs.ts';
import { earlier, idOf, placeFor } from './branch.ts';
import { type Made, makeChange } from './change.ts';
import { infrastructure, type Planned, planTouched } from './plans.ts';

export interface Execution {
  readonly branch: string;
  readonly commit: string;
  /** The commit that the branch began at. */
  readonly from: string;
  readonly changes: Changes;
  /** Files that decide who may do what: operators merge these by hand. */
  readonly governance: readonly string[];
  readonly commands: Made['commands'];
  readonly tests: Made['tests'];
  /** Patches that a model has proposed. */
  readonly proposed: number;
  readonly plans: readonly Planned[];
  /** It was there already, from the same task. */
  readonly repeated: boolean;
}

// biome-ignore lint/style/noDefaultExport: the runner of function agents reads it
export default async function execute(agent: Agent, given: Given<ExecutorInput>): Promise<Json> {
  const { input, task } = given;
  const place = await placeFor(agent, given);
  const id = idOf(given);
  const before = await earlier(place, id);
  if (before.state === 'foreign') throw new Error(`${place.branch} is there already: ${before.why}`);
  if (before.state === 'done' && !(await touchesPlans(before, input))) {
    await use(agent, 'git.discard', { branch: place.branch, keepBranch: true });
    return asJson(await reportOn(place.branch, before, { paths: [], commands: [], tests: [], proposed: 0 }, [], true));
  }
  if (before.state !== 'none') await use(agent, 'git.discard', { branch: place.branch });
  const made = await use(agent, 'git.worktree', { branch: place.branch, ...(input.from ? { from: input.from } : {}) });
  const from = String(made.facts['commit']);
  try {
    const change = await makeChange(agent, given, place.within);
    const message = `${redactText(input.message ?? task)}\n\nAgov-Change: ${id}`;
    const { facts } = await use(agent, 'git.commit', { message, ...named(change.paths) }, place);
    const commit = String(facts['commit']);
    const changes = await changesBetween(from, commit);
    const plans = input.plan ? await planTouched(agent, changes, { within: place.within, commit }) : [];
    await use(agent, 'git.discard', { branch: place.branch, keepBranch: true });
    const execution = await reportOn(place.branch, { from, commit }, change, plans, false);
    await agent.keep('report.md', pageOf(execution));
    return asJson(execution);
  } catch (error) {
    await clearAway(agent, place.branch, error);
    throw error;
  }
}

/** What a commit takes by name; where that is too much, it takes every change. */
function named(paths: readonly string[]): { readonly paths?: readonly string[] } {
  return paths.length > 1000 || Buffer.byteLength(paths.join('')) > 16_000 ? {} : { paths };
}

async function touchesPlans(
  { from, commit }: { from: string; commit: string },
  { plan }: ExecutorInput,
): Promise<boolean> {
  return plan && (await changesBetween(from, commit)).files.some(({ file }) => infrastructure.test(file));
}

/** What failed first is what the reader must hear of, also where clearing away fails as well. */
async function clearAway(agent: Agent, branch: string, why: unknown): Promise<void> {
  try {
    await use(agent, 'git.discard', { branch });
  } catch (error) {
    if (why instanceof Waiting) return; // it is begun anew, and clears away then
    const left = `${message(why)} And ${branch} could not be removed: ${message(error)}`;
    throw new Failed(left, why instanceof Failed ? why.output : null);
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function reportOn(
  branch: string,
  { from, commit }: { readonly from: string; readonly commit: string },
  { commands, tests, proposed }: Made,
  plans: readonly Planned[],
  repeated: boolean,
): Promise<Execution> {
  const changes = await changesBetween(from, commit);
  const governance = ofGovernance(changes);
  return { branch, commit, from, changes, governance, commands, tests, proposed, plans, repeated };
}

function pageOf({ branch, commit, changes, governance, tests, plans }: Execution): string {
  const lines = [
    `# ${branch}`,
    `Commit ${commit}: ${count(changes.files.length, 'file')}, ${count(changes.lines, 'line')}.`,
    ...tests.map(({ argv, exitCode, durationMs }) => `- \`${argv.join(' ')}\`: ${exitCode} after ${durationMs} ms`),
    ...plans.map((plan) =>
      'refused' in plan
        ? `- ${plan.dir}: not planned: ${plan.refused}`
        : `- ${plan.dir} (${plan.environment}): ${plan.creates} to create, ${plan.changes} to change, ${plan.destroys} to destroy. Plan ${plan.sha256}`,
    ),
    ...governance.map((file) => `- decides who may do what, for an operator to merge: ${file}`),
  ];
  return `${lines.join('\n')}\n`;
}
