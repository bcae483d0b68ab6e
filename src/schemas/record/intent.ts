/** An intent, the decision on it, and what came of it. */
import { z } from 'zod';
import { jsonObjectSchema } from '../json.ts';
import { actionSchema, sha256Schema, type Tier } from '../names.ts';

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

/** What the governor found out about an intent's resource. A fact that an action needs and that is missing denies. */
export interface Facts {
  /** `fs.*`: whether the path, every symlink followed, lies in the agent's workspace. */
  readonly inWorkspace?: boolean;
  /** `fs.*`: whether it is one of the governor's own files or a path that the project protects. */
  readonly protected?: boolean;
  /**
   * `fs.*`: the path that rules compare, every symlink followed: relative to the workspace inside it, absolute outside.
   * Without it they compare what the agent wrote, which may name the same file in other words.
   */
  readonly path?: string;
  /** `process.exec`: the resolved absolute path of the program. */
  readonly program?: string;
  /** `repo.*`: whether the branch is the agent's own (`agov/<agent>/…`), and whether the project protects it. */
  readonly ownBranch?: boolean;
  readonly protectedBranch?: boolean;
  /** `state.*`, `memory.*`: whether the space is the agent's own. */
  readonly own?: boolean;
  /** `infra.*`: what the plan would do. */
  readonly plan?: {
    readonly environment: string;
    readonly creates: number;
    readonly changes: number;
    readonly destroys: number;
    /** Whether operators have consented to exactly this plan file. */
    readonly approved?: boolean;
  };
  /** `agent.spawn`: the tier that the child would have. */
  readonly target?: { readonly tier: Tier };
}

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
