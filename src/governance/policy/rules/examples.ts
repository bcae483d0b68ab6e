/** `NAME.examples.yaml`: for each rule of `NAME.cedar`, questions that it matches and questions that it ignores. */
import { z } from 'zod';
import {
  type Action,
  actionSchema,
  type Facts,
  jsonObjectSchema,
  nameSchema,
  tierSchema,
  verdictSchema,
} from '../../../schemas/index.ts';
import type { Question } from '../types.ts';

const count = z.int().min(0);

const factsSchema = z
  .strictObject({
    inWorkspace: z.boolean(),
    protected: z.boolean(),
    path: z.string().min(1),
    program: z.string(),
    ownBranch: z.boolean(),
    protectedBranch: z.boolean(),
    own: z.boolean(),
    plan: z.strictObject({
      environment: z.string(),
      creates: count.default(0),
      changes: count.default(0),
      destroys: count.default(0),
      approved: z.boolean().default(false),
    }),
    target: z.strictObject({ tier: tierSchema }),
  })
  .partial();

export const exampleSchema = z.strictObject({
  agent: z.strictObject({ name: nameSchema.default('agent'), tier: tierSchema }),
  action: actionSchema,
  resource: z.string().min(1).max(4096),
  args: jsonObjectSchema.default({}),
  /** What differs from the usual case, see `usualFacts`. */
  facts: factsSchema.default({}),
  session: z
    .strictObject({
      intents: count.default(0),
      denials: count.default(0),
      secretReads: count.default(0),
      netRequests: count.default(0),
    })
    .prefault({}),
  approvals: count.default(0),
  /** What the whole set must answer. */
  verdict: verdictSchema.optional(),
});
export type Example = z.infer<typeof exampleSchema>;

/** A rule without an example on each side is refused elsewhere, with the rule's own place. */
export const examplesSchema = z.record(
  z.string(),
  z.strictObject({ matches: z.array(exampleSchema).default([]), ignores: z.array(exampleSchema).default([]) }),
);
export type Examples = z.infer<typeof examplesSchema>;

export function questionOf({ agent, action, resource, args, facts, session, approvals }: Example): Question {
  const filled = action === 'process.exec' && args['argv'] === undefined ? { ...args, argv: [resource] } : args;
  return {
    agent,
    intent: { action, resource, args: filled },
    facts: { ...usualFacts(action, resource), ...(facts as Facts) }, // what zod leaves out is absent, never undefined
    session,
    approvals,
  };
}

/** The case that most rules are about: inside the workspace, the agent's own, nothing protected, nothing destroyed. */
function usualFacts(action: Action, resource: string): Facts {
  return {
    inWorkspace: true,
    protected: false,
    program: resource.startsWith('/') ? resource : `/usr/bin/${resource}`,
    ownBranch: true,
    protectedBranch: false,
    own: true,
    target: { tier: 'T0' },
    ...(action === 'infra.apply'
      ? { plan: { environment: resource, creates: 0, changes: 1, destroys: 0, approved: false } }
      : {}),
  };
}
