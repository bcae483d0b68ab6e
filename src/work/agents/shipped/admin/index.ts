/**
 * `agov:admin` (T2) reviews, merges, applies and cleans up. Its rules only ever refuse: what they let pass is still the
 * policy's to allow and the operators' to consent to, for exactly what was reviewed. Nothing that a branch, a plan or a
 * model says of itself counts.
 */
import type { Agent, Json } from '../../../../agent-client/index.ts';
import { Failed, use, Waiting } from '../frame/acts.ts';
import { asJson, type Given } from '../frame/advice.ts';
import { succeeds } from '../frame/git.ts';
import { plain } from '../frame/text.ts';
import type { AdminInput } from '../inputs.ts';
import { type Applied, applyPlan } from './apply.ts';
import { type Cleaned, cleanUp } from './clean.ts';
import { type Review, review } from './review.ts';

export interface Administration {
  readonly review?: Review;
  readonly merge?: { readonly commit: string; readonly already: boolean };
  readonly apply?: Applied;
  readonly clean?: Cleaned;
}

// biome-ignore lint/style/noDefaultExport: the runner of function agents reads it
export default async function administer(agent: Agent, given: Given<AdminInput>): Promise<Json> {
  let done: Administration = {};
  try {
    for (const step of new Set(given.input.do)) done = { ...done, ...(await doStep(agent, given, step, done)) };
  } catch (error) {
    if (error instanceof Waiting) throw error;
    const report = error instanceof Refused ? { ...done, ...error.report } : done;
    await agent.keep('report.md', pageOf(report));
    throw new Failed(error instanceof Error ? error.message : String(error), asJson(report));
  }
  await agent.keep('report.md', pageOf(done));
  return asJson(done);
}

/** By the rules of its definition; nobody is asked. */
class Refused extends Error {
  readonly report: Administration;

  constructor(what: string, reasons: readonly string[], report: Administration) {
    super(`${what} is refused: ${reasons.slice(0, 5).join(' ')}`.slice(0, 1500));
    this.report = report;
  }
}

async function doStep(
  agent: Agent,
  given: Given<AdminInput>,
  step: AdminInput['do'][number],
  done: Administration,
): Promise<Administration> {
  switch (step) {
    case 'review':
      return { review: await review(agent, given) };
    case 'merge':
      return merge(agent, given, done);
    case 'apply': {
      const apply = await applyPlan(agent, given);
      if (apply.reasons.length > 0) throw new Refused(`The plan for ${apply.environment}`, apply.reasons, { apply });
      return { apply };
    }
    case 'clean':
      return { clean: await cleanUp(agent, given) };
  }
}

/** Exactly the commit that was reviewed. */
async function merge(agent: Agent, given: Given<AdminInput>, done: Administration): Promise<Administration> {
  const { branch = '', into } = given.input;
  if (
    branch !== '' &&
    (await succeeds(['merge-base', '--is-ancestor', `refs/heads/${branch}`, `refs/heads/${into}`]))
  ) {
    return { merge: { commit: '', already: true } };
  }
  const reviewed = done.review ?? (await review(agent, given));
  if (!reviewed.ok) throw new Refused(branch, reviewed.reasons, { review: reviewed });
  const { facts } = await use(agent, 'git.merge', { branch, into, at: reviewed.commit });
  return { review: reviewed, merge: { commit: String(facts['commit']), already: facts['changed'] === false } };
}

function pageOf({ review: reviewed, merge: merged, apply, clean }: Administration): string {
  const lines = [
    '# Administration',
    ...(reviewed ? [`${reviewed.branch} at ${reviewed.commit}: ${reviewed.ok ? 'fit to be merged' : 'refused'}.`] : []),
    ...(reviewed?.reasons ?? []).map((reason) => `- ${plain(reason, 500)}`),
    ...(merged ? [merged.already ? 'It was merged before.' : `Merged as ${merged.commit}.`] : []),
    ...(apply ? [`Plan ${apply.plan} for ${apply.environment}: ${apply.applied ? 'applied' : 'refused'}.`] : []),
    ...(apply?.reasons ?? []).map((reason) => `- ${plain(reason, 500)}`),
    ...(clean?.removed ?? []).map(({ branch }) => `- removed ${branch}`),
    ...(clean?.kept ?? []).map(({ branch, why }) => `- kept ${branch}: ${plain(why)}`),
  ];
  return `${lines.join('\n')}\n`;
}
