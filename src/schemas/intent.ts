/** An intent, the decision on it, and what came of it. */
import { z } from 'zod';
import { jsonObjectSchema } from './json.ts';
import { actionSchema, sha256Schema } from './names.ts';

/**
 * What an agent asks to do. `resource` is the action's object as text: a path for `fs.*`, a program for
 * `process.exec`, `host:port` for `net.request`, a secret path for `secret.*`, an environment for `infra.*`, a branch
 * for `repo.*`, a name elsewhere.
 */
export const intentSchema = z.strictObject({
  action: actionSchema,
  resource: z.string().min(1).max(4096),
  args: jsonObjectSchema,
});
export type Intent = z.infer<typeof intentSchema>;

export const verdictSchema = z.enum(['allow', 'ask', 'deny']);
export type Verdict = z.infer<typeof verdictSchema>;

export const decisionSchema = z.strictObject({
  verdict: verdictSchema,
  /** Ids of the policies that determined the verdict. */
  policies: z.array(z.string()),
  /** Sentences for people, the decisive one first. */
  reasons: z.array(z.string()),
  /** Distinct operators that must approve; present when the verdict is `ask`. */
  quorum: z.int().min(1).max(9).optional(),
  /** SHA-256 over tiers, schema and policies that were in force. */
  policyVersion: sha256Schema,
});
export type Decision = z.infer<typeof decisionSchema>;

export const outcomeSchema = z.strictObject({
  status: z.enum(['ok', 'failed', 'unknown']),
  /** Facts about the effect: exit code, duration in ms, digests. Never a secret, never large. */
  facts: jsonObjectSchema,
  /** One sentence when the status is not `ok`. */
  reason: z.string().max(2000).optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;
