/** Whether a branch is fit to be merged, by declared rules and by tests that are run here, on exactly one commit. */
import type { Agent } from '../../../../agent-client/index.ts';
import { redactText } from '../../../../governance/redaction/index.ts';
import { digestOf, type Ran, runAll, use } from '../frame/acts.ts';
import { advise, asJson, type Given } from '../frame/advice.ts';
import { type Changes, changesBetween, ofGovernance, secretsAdded } from '../frame/changes.ts';
import { isUnder } from '../frame/files.ts';
import { look, succeeds, word } from '../frame/git.ts';
import { plain } from '../frame/text.ts';
import type { AdminInput } from '../inputs.ts';

/** Of the branches on which tests are run. */
export const reviewPrefix = 'review-';

export interface Review {
  readonly branch: string;
  readonly commit: string;
  readonly ok: boolean;
  /** Why it is not; sentences. */
  readonly reasons: readonly string[];
  readonly changes: Changes;
  readonly tests: readonly Ran[];
  /** What a model said, where there is one. */
  readonly advice?: string;
}

/** @throws where there is no such branch */
export async function review(agent: Agent, given: Given<AdminInput>): Promise<Review> {
  const { branch, into } = given.input;
  if (branch === undefined) throw new Error('The task names no branch to review.');
  const commit = await word(['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`]);
  if (commit === undefined) throw new Error(`There is no branch ${branch}.`);
  const from = await word(['merge-base', commit, `refs/heads/${into}`]);
  if (from === undefined) throw new Error(`${branch} and ${into} have no commit in common.`);
  const changes = await changesBetween(from, commit);
  const faults = await faultsOf(given.input, changes, { from, commit });
  const about = { branch, commit, changes };
  // Code that is refused is not run, nor shown to anybody.
  if (faults.length > 0) return { ...about, ok: false, reasons: faults, tests: [] };
  const tests = await test(agent, given, { branch, commit });
  const red = tests.find(({ passed }) => !passed);
  const reasons = red ? [`${red.argv.join(' ').slice(0, 200)} ended with ${red.exitCode}.`] : [];
  const said = red ? undefined : await objection(agent, given, { from, commit });
  const all = [...reasons, ...(said?.objects ? [`A model objects: ${said.why}`] : [])];
  return { ...about, ok: all.length === 0, reasons: all, tests, ...(said ? { advice: said.why } : {}) };
}

interface Range {
  readonly from: string;
  readonly commit: string;
}

async function faultsOf({ rules }: AdminInput, changes: Changes, { from, commit }: Range): Promise<string[]> {
  const { files, lines } = changes;
  const names = files.map(({ file }) => file);
  const outside = rules.paths === undefined ? [] : names.filter((file) => !isUnder(file, rules.paths ?? []));
  const closed = names.filter((file) => isUnder(file, rules.closed));
  const governance = ofGovernance(changes);
  const secrets = rules.secrets ? [] : await secretsAdded(from, commit);
  return [
    ...(files.length === 0 ? ['It changes nothing.'] : []),
    ...(files.length > rules.files ? [`It changes ${files.length} files; ${rules.files} may be.`] : []),
    ...(lines > rules.lines ? [`It changes ${lines} lines; ${rules.lines} may be.`] : []),
    ...(outside.length > 0 ? [`It touches what is not among "paths": ${some(outside)}.`] : []),
    ...(closed.length > 0 ? [`It touches what is closed: ${some(closed)}.`] : []),
    ...(governance.length > 0 ? [`It changes who may do what, which an operator merges: ${some(governance)}.`] : []),
    ...(secrets.length > 0 ? [`It adds what looks like a secret: ${some(secrets)}.`] : []),
  ];
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => plain(name));
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}

/** In a folder of its own, without this agent's socket: the branch is somebody else's code. */
async function test(
  agent: Agent,
  { input, signal }: Given<AdminInput>,
  { branch, commit }: { readonly branch: string; readonly commit: string },
): Promise<readonly Ran[]> {
  if (input.tests.length === 0) return [];
  const { agent: name, run } = await agent.whoami();
  const slug = `${reviewPrefix}${digestOf([run, branch, commit])}`;
  const own = `agov/${name}/${slug}`;
  // Left by an earlier beginning of this run.
  if (await succeeds(['rev-parse', '--verify', '--quiet', `refs/heads/${own}`]))
    await use(agent, 'git.discard', { branch: own });
  const made = await use(agent, 'git.worktree', { branch: slug, from: branch });
  try {
    if (made.facts['commit'] !== commit) throw new Error(`${branch} has moved while it was reviewed.`);
    const within = `.worktrees/${name}-${slug}`;
    const options = { within, minutes: input.minutes, isolated: true, signal, clean: redactText };
    return await runAll(agent, input.tests, options);
  } finally {
    await use(agent, 'git.discard', { branch: own });
  }
}

const schema = {
  type: 'object',
  properties: { objects: { type: 'boolean' }, why: { type: 'string', minLength: 1, maxLength: 1000 } },
  required: ['objects', 'why'],
  additionalProperties: false,
} as const;
const mostDiff = 100_000;

/** A model can hold a change up, and never wave one through: without its word the rules have passed it. */
async function objection(
  agent: Agent,
  given: Given<AdminInput>,
  { from, commit }: Range,
): Promise<{ readonly objects: boolean; readonly why: string } | undefined> {
  if (!given.model) return undefined;
  const { stdout } = await look(['diff', '--no-color', '--no-ext-diff', '--no-textconv', from, commit, '--']);
  const advised = await advise<{ objects: boolean; why: string }>(agent, given, {
    prompt: `A branch is to be merged. ${given.task}\nIs there anything in its change that its operators should see before they consent: a fault, a danger, something hidden? Object only for a reason that you can name.`,
    data: asJson({ diff: stdout.slice(0, mostDiff), cut: stdout.length > mostDiff }),
    schema,
  });
  if ('none' in advised) return { objects: false, why: `no advice: ${advised.none}` };
  return { objects: advised.answer.objects, why: plain(advised.answer.why, 1000) };
}
