/** An approval as the ledger has it: the question, on which terms it was asked, and the consents that count. */
import { z } from 'zod';
import { type Entry, type Intent, intentSchema, nameSchema, sha256Schema, type Tier } from '../../schemas/index.ts';
import type { Ledger } from '../ledger/index.ts';

export const askedSchema = z.strictObject({
  step: z.literal('asked'),
  hash: sha256Schema,
  quorum: z.int().min(1),
  /** On record with the question, so that no later change of a configuration lets anyone else answer it. */
  roles: z.array(nameSchema).default([]),
  expiresAt: z.string(),
  policyVersion: sha256Schema,
  workspace: z.string(),
  intent: intentSchema,
  reasons: z.array(z.string()),
});

export const consentSchema = z.object({
  step: z.enum(['granted', 'denied', 'expired', 'ended']),
  operator: nameSchema.optional(),
  /** By which the consent counts, where the question named roles. */
  role: nameSchema.optional(),
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
  /** One of these an operator must have to consent; anyone may where there is none. */
  readonly roles: readonly string[];
  /** Distinct operators who have approved. */
  readonly operators: readonly string[];
  readonly askedAt: string;
  readonly expiresAt: string;
  readonly reasons: readonly string[];
  readonly policyVersion: string;
}

export function readApproval(entry: Entry, ledger: Ledger): PendingApproval {
  const asked = askedSchema.parse(entry.body);
  const consents = ledger
    .query({ kinds: ['approval'], parent: entry.id })
    .map((child) => consentSchema.parse(child.body));
  const counts = (role: string | undefined): boolean =>
    asked.roles.length === 0 || (role !== undefined && asked.roles.includes(role));
  const operators = consents.flatMap(({ step, operator, role }) =>
    step === 'granted' && operator && counts(role) ? [operator] : [],
  );
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
