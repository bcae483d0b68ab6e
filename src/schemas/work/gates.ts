/** What a stage waits for before it starts: people, evidence, an event, locks; and what a run waits for. */
import { z } from 'zod';
import { durationPattern } from '../../kernel/index.ts';
import { nameSchema } from '../names.ts';

export const stageName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'use a-z, 0-9 and -, beginning with a letter');
export const duration = z.string().regex(durationPattern, 'write a whole number and a unit: 30s, 15m');
export const expression = z.string().min(1).max(4096);

const approval = z
  .strictObject({
    quorum: z.int().min(1).max(9).default(1).describe('How many different operators must consent.'),
    roles: z
      .array(nameSchema)
      .min(1)
      .max(20)
      .optional()
      .describe('Only operators with one of these roles (agov.yaml) count.'),
    reason: z.string().min(1).max(500).optional().describe('What they are told.'),
  })
  .describe('Operators must consent, also where no policy asks.');

const evidence = z
  .strictObject({
    stage: stageName.describe('A stage that this one needs, however far up.'),
    artifact: z.string().min(1).max(255).describe('One of its artifacts.'),
    holds: expression.optional().describe('A CEL condition over `outputs`, those of that stage.'),
  })
  .describe('The stage must have ended well in this run, and its artifact be there with the digest on record.');

/** As `agov pipeline signal` takes it. */
export const eventNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_.-]{0,62}$/, 'use a-z, 0-9, _ . and -, beginning with a letter');

const event = z
  .strictObject({
    name: eventNameSchema.describe('As `agov pipeline signal RUN NAME` gives it.'),
    where: expression.optional().describe('A CEL condition over `event.data`: other events are passed over.'),
    timeout: duration
      .optional()
      .describe('How long the stage waits before it fails with TIMEOUT; without it, for ever.'),
  })
  .describe('The stage waits until an operator signals it; one that was signalled before counts.');

export const gateSchema = z
  .union([
    z.strictObject({
      approval: approval.optional(),
      evidence: z.array(evidence).min(1).max(100).optional(),
      event: event.optional(),
    }),
    z.literal('approval'),
  ])
  .refine((gate) => gate === 'approval' || Object.values(gate).some((of) => of !== undefined), {
    error: 'must name "approval", "evidence" or "event"',
  });
/** Of what undoes a stage. */
export const consentSchema = gateSchema.refine(
  (gate) => gate === 'approval' || (gate.evidence === undefined && gate.event === undefined),
  'what undoes a stage may ask people, and waits for nothing else',
);
export type Gate = z.infer<typeof gateSchema>;
export type EventGate = z.infer<typeof event>;
export type EvidenceGate = z.infer<typeof evidence>;

/** What is left of a gate once it is the policy's turn: whom it asks. */
export function consentOf(gate: Gate | undefined): z.infer<typeof approval> | undefined {
  return gate === 'approval' ? { quorum: 1 } : gate?.approval;
}

/** Names of locks and groups: those that stand in the file as they are, and those that expressions give. */
export const lockNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/,
    'use 1 to 128 letters, digits and . _ / - between them',
  );

const lockName = z
  .string()
  .max(1000)
  .refine((text) => text.includes('${{') || lockNameSchema.safeParse(text).success, {
    error: 'use 1 to 128 letters, digits and . _ / - between them',
  });

export const locksSchema = z
  .array(lockName)
  .min(1)
  .max(16)
  .describe(
    'Held while the stage runs, and while it is undone: all of them or none. `${{ … }}` is filled in. The command finds its token in `AGOV_LOCK_<NAME>`.',
  );

export const concurrencySchema = z
  .strictObject({
    group: lockName.describe(
      'At most one run of a group is driven at once, on all hosts. `${{ params.x }}` is filled in.',
    ),
    busy: z
      .enum(['wait', 'cancel', 'refuse'])
      .default('wait')
      .describe('What a run does that finds another: waits its turn, cancels the other and waits for it, or gives up.'),
  })
  .describe('Keeps runs apart that would be in each other’s way.');
