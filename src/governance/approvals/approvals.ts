/**
 * An operator's consent to exact bytes. The ledger is the only store: an approval is an open entry until one intent, a
 * denial or its end closes it, in the same transaction, so that two takers cannot both have it.
 */
import { z } from 'zod';
import { AgovError, canonicalHash, type Env, isoTime, type JsonObject } from '../../kernel/index.ts';
import { type Entry, type Intent, intentSchema, nameSchema, sha256Schema, type Tier } from '../../schemas/index.ts';
import type { Ledger } from '../ledger/index.ts';
import { foldKilledRuns } from '../standing/index.ts';

/** What an approval is bound to. Anything in it that changes makes another hash, and so another approval. */
export interface ApprovalSubject {
  readonly agent: string;
  readonly intent: Intent;
  readonly workspace: string;
  readonly policyVersion: string;
}

export function subjectHash(subject: ApprovalSubject): string {
  return canonicalHash(subject);
}

const askedSchema = z.strictObject({
  step: z.literal('asked'),
  hash: sha256Schema,
  quorum: z.int().min(1),
  expiresAt: z.string(),
  policyVersion: sha256Schema,
  workspace: z.string(),
  intent: intentSchema,
  reasons: z.array(z.string()),
});

const consentSchema = z.object({
  step: z.enum(['granted', 'denied', 'expired', 'ended']),
  operator: nameSchema.optional(),
});

export interface PendingApproval {
  readonly id: string;
  readonly agent: string;
  readonly tier: Tier | undefined;
  readonly run: string | undefined;
  readonly hash: string;
  readonly intent: Intent;
  readonly workspace: string;
  readonly quorum: number;
  /** Distinct operators who have approved. */
  readonly operators: readonly string[];
  readonly askedAt: string;
  readonly expiresAt: string;
  readonly reasons: readonly string[];
  readonly policyVersion: string;
}

export interface ConsentBy {
  readonly operator: string;
  /** How the consent came: `terminal`, `--yes`, …; recorded. */
  readonly via: string;
  /** The operating-system user at the keyboard; recorded. */
  readonly user: string;
}

export interface Approvals {
  /** Those that can still be given or used, oldest first. */
  pending(): readonly PendingApproval[];
  forHash(hash: string): PendingApproval | undefined;
  ask(
    subject: ApprovalSubject & { readonly run?: string; readonly tier: Tier },
    quorum: number,
    reasons: readonly string[],
  ): Promise<PendingApproval>;
  /** @throws APPROVAL_INVALID when it is unknown, used, denied, expired, or its policy has changed; CONFLICT on a second consent of one operator */
  approve(id: string, by: ConsentBy, policyVersion: string): Promise<PendingApproval>;
  /** @throws APPROVAL_INVALID */
  deny(id: string, by: ConsentBy, reason: string): Promise<void>;
  /**
   * The consent of operators, in full number, to an intent on exactly this plan file: not yet used, denied or expired,
   * and given under these rules.
   */
  forPlan(planSha256: string, policyVersion: string): PendingApproval | undefined;
  /** Closes those whose time is over. Call at start. */
  expire(): Promise<number>;
}

export function ledgerApprovals(ledger: Ledger, env: Env, ttlMs: number): Approvals {
  const open = (): PendingApproval[] =>
    ledger
      .openIds()
      .map((id) => ledger.byId(id))
      .filter((entry): entry is Entry => entry?.kind === 'approval')
      .map((entry) => read(entry, ledger));
  const alive = (approval: PendingApproval): boolean => Date.parse(approval.expiresAt) > env.now();

  function mustBePending(id: string): PendingApproval {
    const matches = open().filter((approval) => approval.id === id || (id.length >= 8 && approval.id.endsWith(id)));
    const [approval] = matches;
    if (!approval || matches.length > 1) throw unknown(id, ledger, matches.length);
    if (!alive(approval)) throw invalid(approval.id, `It expired at ${approval.expiresAt}.`);
    return approval;
  }

  return {
    pending: () => open().filter(alive),
    forHash: (hash) => open().find((approval) => approval.hash === hash && alive(approval)),

    async ask(subject, quorum, reasons) {
      const hash = subjectHash(pickSubject(subject));
      const body: z.infer<typeof askedSchema> = {
        step: 'asked',
        hash,
        quorum,
        expiresAt: isoTime(env.now() + ttlMs),
        policyVersion: subject.policyVersion,
        workspace: subject.workspace,
        intent: subject.intent,
        reasons: [...reasons],
      };
      const { id } = await ledger.append({
        kind: 'approval',
        agent: subject.agent,
        tier: subject.tier,
        ...(subject.run ? { run: subject.run } : {}),
        body: body as unknown as JsonObject, // the schema's type has no index signature; its values are JSON
        opens: true,
      });
      const entry = ledger.byId(id);
      if (!entry) throw new AgovError('INTERNAL', { what: `Approval ${id} was written and cannot be read back.` });
      return read(entry, ledger);
    },

    async approve(id, by, policyVersion) {
      const approval = mustBePending(id);
      // It may have been asked while the kill was on its way.
      if (foldKilledRuns(ledger).some(({ run }) => run === approval.run)) {
        throw invalid(approval.id, `Its run ${approval.run} was killed.`, 'Let the agent ask again, in a new run.');
      }
      if (approval.policyVersion !== policyVersion) {
        throw invalid(approval.id, 'The policy has changed since it was asked.', 'Let the agent ask again.');
      }
      if (approval.operators.includes(by.operator)) {
        throw new AgovError('CONFLICT', {
          what: `${by.operator} has approved ${approval.id} already.`,
          why: `It needs ${approval.quorum} different operators and has ${approval.operators.length}.`,
          fix: 'Let another operator run "agov approve".',
        });
      }
      await ledger.append({
        ...about(approval),
        body: { step: 'granted', ...by, hash: approval.hash },
        claim: `approval:${approval.id}:${by.operator}`,
      });
      return { ...approval, operators: [...approval.operators, by.operator] };
    },

    async deny(id, by, reason) {
      const approval = mustBePending(id);
      await ledger.append({ ...about(approval), body: { step: 'denied', ...by, reason }, closes: approval.id });
    },

    forPlan: (plan, policyVersion) =>
      open().find(
        (approval) =>
          approval.intent.args['plan'] === plan &&
          approval.policyVersion === policyVersion &&
          approval.operators.length >= approval.quorum &&
          alive(approval),
      ),

    async expire() {
      const over = open().filter((approval) => !alive(approval));
      for (const approval of over) {
        await ledger.append({ ...about(approval), body: { step: 'expired' }, closes: approval.id });
      }
      return over.length;
    },
  };
}

function pickSubject({ agent, intent, workspace, policyVersion }: ApprovalSubject): ApprovalSubject {
  return { agent, intent, workspace, policyVersion };
}

function about(approval: PendingApproval) {
  return {
    kind: 'approval',
    parent: approval.id,
    agent: approval.agent,
    ...(approval.run ? { run: approval.run } : {}),
  } as const;
}

function read(entry: Entry, ledger: Ledger): PendingApproval {
  const asked = askedSchema.parse(entry.body);
  const consents = ledger
    .query({ kinds: ['approval'], parent: entry.id })
    .map((child) => consentSchema.parse(child.body));
  const operators = consents.flatMap(({ step, operator }) => (step === 'granted' && operator ? [operator] : []));
  return {
    id: entry.id,
    agent: entry.agent ?? '',
    tier: entry.tier,
    run: entry.run,
    askedAt: entry.at,
    operators: [...new Set(operators)],
    ...asked,
  };
}

function invalid(id: string, why: string, fix = 'See "agov approvals" for those that wait.'): AgovError {
  return new AgovError('APPROVAL_INVALID', { what: `Approval ${id} cannot be used.`, why, fix });
}

function unknown(id: string, ledger: Ledger, matches: number): AgovError {
  if (matches > 1) return invalid(id, `${matches} waiting approvals end in it.`);
  const entry = ledger.byId(id);
  if (entry?.kind !== 'approval') return invalid(id, 'No approval has this id.');
  const [last] = ledger.query({ kinds: ['approval'], parent: id, newestFirst: true, limit: 1 });
  const step = last ? consentSchema.parse(last.body).step : 'asked';
  const how = {
    ...{ granted: 'It was used already.', asked: 'It was used already.', denied: 'It was denied.' },
    ...{ expired: 'It has expired.', ended: 'Its run or its agent was killed.' },
  }[step];
  return invalid(id, how, 'Let the agent ask again.');
}
