/**
 * What a worker asks of operators, asked where they are: by the coordinator, as the same question word for word. What they
 * say goes back with the job, once, for that attempt.
 */
import { type Approvals, type PendingApproval, subjectHash } from '../../../governance/approvals/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import { type About, type Consent, type JobBody, jobBodySchema, type Said } from '../messages/index.ts';

export interface QuestionParts {
  readonly ledger: Ledger;
  readonly approvals: Approvals;
  readonly policyVersion: string;
}

/** How far an attempt has come, by the record. */
export type Past =
  /** `given`: the job of this round may be in the queue already. */
  | { readonly round: number; readonly given: boolean; readonly consents: readonly Consent[] }
  /** Not enough operators have answered. */
  | { readonly round: number; readonly open: PendingApproval };

type Asked = Extract<JobBody, { step: 'asked' }>;
type Consented = Extract<JobBody, { step: 'consented' }>;

export async function pastOf(parts: QuestionParts, token: string, taken: boolean): Promise<Past> {
  const bodies = parts.ledger
    .query({ kinds: ['job'], parent: token })
    .flatMap(({ body }) => jobBodySchema.safeParse(body).data ?? []);
  const asked = bodies.filter((body) => body.step === 'asked');
  const [last, round] = [asked.at(-1), asked.length];
  if (!last) return { round, given: taken, consents: [] };
  const answers = bodies.filter(({ step }) => step === 'consented').length;
  if (answers === round) return { round, given: true, consents: unused(bodies) };
  const open = parts.approvals.pending().find(({ id }) => id === last.approval);
  if (open && open.operators.length < open.quorum) return { round, open };
  return { round, given: false, consents: unused([...bodies, await spend(parts, token, last, open)]) };
}

/**
 * What nothing was done by yet. Hosts with other paths ask other questions about the same attempt: what one has asked is
 * no answer for the next, and must still be there when the job comes back to the first.
 */
function unused(bodies: readonly JobBody[]): readonly Consent[] {
  let left: Consent[] = [];
  for (const body of bodies) {
    if (body.step === 'asked') left = left.filter(({ hash }) => !body.used.includes(hash));
    if (body.step === 'consented') left.push(...body.consents.map((by) => ({ hash: body.hash, ...by })));
  }
  return left;
}

/** Closes the approval: what was consented to once is done once. An expired one is asked again by the worker. */
async function spend(
  { ledger }: QuestionParts,
  token: string,
  { hash, approval, shared }: Asked,
  open: PendingApproval | undefined,
): Promise<Consented> {
  const operators = new Set(open?.operators);
  const consents = ledger.query({ kinds: ['approval'], parent: approval }).flatMap(({ body }) => {
    const { step, operator, user } = body as { step: string; operator?: string; user?: string }; // by the approvals alone
    return step === 'granted' && operator !== undefined && operators.has(operator)
      ? [{ operator, user: user ?? '' }]
      : [];
  });
  const body: Consented = { step: 'consented', hash, consents };
  await ledger.append({ kind: 'job', parent: token, body, ...(open && !shared ? { closes: approval } : {}) });
  return body;
}

/** @throws AgovError CONFLICT where the two hosts do not mean the same by it */
export async function askHere(
  parts: QuestionParts,
  about: About,
  agent: string,
  { approval: asked, decision, used }: Extract<Said, { did: 'ask' }>,
): Promise<PendingApproval> {
  const { ledger, approvals, policyVersion } = parts;
  if (decision.policyVersion !== policyVersion) throw otherRules(about.key);
  const { hash, intent, workspace, quorum, roles, reasons, tier } = asked;
  const plain = { agent, intent, workspace, policyVersion };
  const subject = [plain, { ...plain, terms: { quorum, roles } }].find((one) => subjectHash(one) === hash);
  if (!subject) throw otherQuestion(about.key);
  const shared = ledger.byId(asked.id)?.kind === 'approval';
  const pending = shared ? approvals.pending().find(({ id }) => id === asked.id) : approvals.forHash(hash);
  const open = pending ?? (await approvals.ask({ ...subject, run: about.run, tier }, quorum, reasons));
  const body: JobBody = {
    step: 'asked',
    about,
    approval: open.id,
    hash,
    used,
    shared: shared && pending !== undefined,
  };
  await ledger.append({ kind: 'job', run: about.run, agent, parent: about.token, body });
  return open;
}

export function otherRules(key: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `The worker of stage "${key}" decides by other rules than this host.`,
    why: 'An operator’s consent is to an intent under exact rules.',
    fix: 'Bring agov.yaml, the tiers and the policies of both hosts to one commit, then start the worker anew.',
  });
}

function otherQuestion(key: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `The worker of stage "${key}" asks for something else than it shows.`,
    why: 'The hash of the question is not that of its words.',
    fix: 'Bring both hosts to one version of agov.',
  });
}
