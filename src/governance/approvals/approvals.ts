/**
 * An operator's consent to exact bytes. The ledger is the only store: an approval is an open entry until one intent, a
 * denial or its end closes it, in the same transaction, so that two takers cannot both have it.
 */
import type { z } from 'zod';
import { AgovError, canonicalHash, type Env, isoTime, type JsonObject } from '../../kernel/index.ts';
import type { Entry, Intent, Tier } from '../../schemas/index.ts';
import type { Ledger } from '../ledger/index.ts';
import { foldKilledRuns } from '../standing/index.ts';
import { type askedSchema, consentSchema, type PendingApproval, readApproval } from './record.ts';

/** What an approval is bound to. Anything in it that changes makes another hash, and so another approval. */
export interface ApprovalSubject {
  readonly agent: string;
  readonly intent: Intent;
  readonly workspace: string;
  readonly policyVersion: string;
  /** Of a gate that wants more than any one operator: consent that was asked for on other terms is no answer to it. */
  readonly terms?: ApprovalTerms | undefined;
}

export interface ApprovalTerms {
  readonly quorum: number;
  /** Only operators with one of these count; anyone does where there is none. In order, each once. */
  readonly roles: readonly string[];
}

/** What tells the roles that an operator has now. */
export type RolesOf = (operator: string) => readonly string[];

export function subjectHash({ terms, ...subject }: ApprovalSubject): string {
  return canonicalHash({ ...subject, ...(terms ? { terms: { ...terms, roles: [...terms.roles] } } : {}) });
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
  /** Whether this operator's consent would count by the roles they have now. */
  mayConsent(approval: PendingApproval, operator: string): boolean;
  /** @throws APPROVAL_INVALID when it is unknown, used, denied, expired, or its policy has changed; CONFLICT on a second consent of one operator; DENIED for one without the role it needs */
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

export function ledgerApprovals(ledger: Ledger, env: Env, ttlMs: number, rolesOf: RolesOf = () => []): Approvals {
  const open = (): PendingApproval[] =>
    ledger
      .openIds()
      .map((id) => ledger.byId(id))
      .filter((entry): entry is Entry => entry?.kind === 'approval')
      .map((entry) => readApproval(entry, ledger));
  const alive = (approval: PendingApproval): boolean => Date.parse(approval.expiresAt) > env.now();

  function mustBePending(id: string): PendingApproval {
    const matches = open().filter((approval) => approval.id === id || (id.length >= 8 && approval.id.endsWith(id)));
    const [approval] = matches;
    if (!approval || matches.length > 1) throw unknown(id, ledger, matches.length);
    if (!alive(approval)) throw invalid(approval.id, `It expired at ${approval.expiresAt}.`);
    return approval;
  }

  /** The role by which the operator may consent; an empty text where none is needed. */
  const roleFor = ({ roles }: PendingApproval, operator: string): string | undefined =>
    roles.length === 0 ? '' : rolesOf(operator).find((role) => roles.includes(role));

  return {
    mayConsent: (approval, operator) => roleFor(approval, operator) !== undefined,
    pending: () => open().filter(alive),
    forHash: (hash) => open().find((approval) => approval.hash === hash && alive(approval)),

    async ask(subject, quorum, reasons) {
      const hash = subjectHash(pickSubject(subject));
      const body: z.infer<typeof askedSchema> = {
        step: 'asked',
        hash,
        quorum,
        expiresAt: isoTime(env.now() + ttlMs),
        roles: [...(subject.terms?.roles ?? [])],
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
      return readApproval(entry, ledger);
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
      const role = roleFor(approval, by.operator);
      if (role === undefined) throw lacksRole(approval, by.operator, rolesOf(by.operator));
      await ledger.append({
        ...about(approval),
        body: { step: 'granted', ...by, hash: approval.hash, ...(role ? { role } : {}) },
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

function pickSubject({ agent, intent, workspace, policyVersion, terms }: ApprovalSubject): ApprovalSubject {
  return { agent, intent, workspace, policyVersion, terms };
}

function about(approval: PendingApproval) {
  return {
    kind: 'approval',
    parent: approval.id,
    agent: approval.agent,
    ...(approval.run ? { run: approval.run } : {}),
  } as const;
}

function invalid(id: string, why: string, fix = 'See "agov approvals" for those that wait.'): AgovError {
  return new AgovError('APPROVAL_INVALID', { what: `Approval ${id} cannot be used.`, why, fix });
}

function lacksRole({ id, roles }: PendingApproval, operator: string, has: readonly string[]): AgovError {
  const needed = roles.length === 1 ? `the role "${roles[0]}"` : `one of the roles ${roles.join(', ')}`;
  return new AgovError('DENIED', {
    what: `${operator} cannot approve ${id}.`,
    why: `It needs an operator with ${needed}, and ${operator} has ${has.length === 0 ? 'none' : has.join(', ')}.`,
    fix: 'Let an operator with the role run "agov approve"; roles are given in agov.yaml, under "operators".',
  });
}

function unknown(id: string, ledger: Ledger, matches: number): AgovError {
  if (matches > 1) return invalid(id, `${matches} waiting approvals end in it.`);
  const entry = ledger.byId(id);
  if (entry?.kind !== 'approval') return invalid(id, 'No approval has this id.');
  const [last] = ledger.query({ kinds: ['approval'], parent: id, newestFirst: true, limit: 1 });
  const step = last ? consentSchema.parse(last.body).step : 'asked';
  const how = {
    ...{ granted: 'It was used already.', asked: 'It was used already.', denied: 'It was denied.' },
    ...{ expired: 'It has expired.', ended: 'Its run or its agent was killed, or its run was cancelled.' },
  }[step];
  return invalid(id, how, 'Let the agent ask again.');
}
