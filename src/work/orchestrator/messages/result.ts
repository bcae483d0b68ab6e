/** What a worker says of a job. Bound to it by run, unit, attempt, token and round; each is compared. */
import { z } from 'zod';
import {
  artifactRefSchema,
  decisionSchema,
  intentSchema,
  nameSchema,
  outcomeSchema,
  sha256Schema,
  tierSchema,
} from '../../../schemas/index.ts';
import { aboutSchema, jobFormat } from './job.ts';

const fault = z.strictObject({
  code: z.string().max(64),
  what: z.string().max(4000),
  why: z.string().max(4000).optional(),
  fix: z.string().max(4000).optional(),
});

const decided = { id: z.string().max(64), decision: decisionSchema };

export const saidSchema = z.discriminatedUnion('did', [
  z.strictObject({
    did: z.literal('allow'),
    ...decided,
    outcome: outcomeSchema.extend({
      artifacts: z.array(artifactRefSchema).max(1000),
      spent: z.strictObject({ tokens: z.number().optional(), moneyMicros: z.number().optional() }).optional(),
    }),
    /** The minutes of its budget were over. */
    overtime: z.literal(true).optional(),
    /** What the stage declares; why it could not be kept. */
    kept: z.union([z.array(artifactRefSchema).max(1000), fault]),
    /** Digests of what was too large to send. */
    left: z.array(sha256Schema).max(2000),
  }),
  z.strictObject({ did: z.literal('deny'), ...decided, code: z.literal('BUDGET_EXCEEDED').optional() }),
  z.strictObject({
    did: z.literal('ask'),
    ...decided,
    /** Hashes of what had been consented to and was done, or was asked again all the same: nobody may do it once more. */
    used: z.array(sha256Schema).max(100),
    approval: z.strictObject({
      id: z.string().max(64),
      hash: sha256Schema,
      intent: intentSchema,
      workspace: z.string().max(4096),
      tier: tierSchema,
      quorum: z.int().min(1).max(9),
      roles: z.array(nameSchema).max(20),
      reasons: z.array(z.string().max(4000)).max(50),
    }),
  }),
  z.strictObject({ did: z.literal('fault'), fault }),
  /** Whether and how far it was done is not to be told: the next attempt begins. */
  z.strictObject({ did: z.literal('lost'), reason: z.string().max(2000) }),
]);
export type Said = z.infer<typeof saidSchema>;

export const resultSchema = z.strictObject({
  v: z.literal(jobFormat),
  about: aboutSchema,
  worker: z.strictObject({ name: nameSchema, host: z.string().max(256), key: z.string().max(256) }),
  store: z.string().max(512),
  said: saidSchema,
});
export type Result = z.infer<typeof resultSchema>;
