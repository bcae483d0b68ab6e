/** What coordinator and worker write into their ledgers about a job; its parent is the entry of the attempt. */
import { z } from 'zod';
import { sha256Schema } from '../../../schemas/index.ts';
import { aboutSchema } from './job.ts';

const consent = z.object({ operator: z.string(), user: z.string() });

export const jobBodySchema = z.discriminatedUnion('step', [
  /** The worker: it begins, once for ever. `by` is the coordinator's key. */
  z.strictObject({ step: z.literal('taken'), about: aboutSchema, worker: z.string(), by: z.string() }),
  /** The coordinator: nothing of this attempt counts any more, and the next one may begin. */
  z.strictObject({ step: z.literal('lost'), about: aboutSchema, reason: z.string() }),
  /** The coordinator: the worker asked, and `approval` here is the same question. */
  z.strictObject({
    step: z.literal('asked'),
    about: aboutSchema,
    approval: z.string(),
    hash: sha256Schema,
    /** What earlier answers were used for meanwhile, by hash. */
    used: z.array(sha256Schema),
    /** Both write one ledger: the worker’s own question is the one that is answered, and its intent closes it. */
    shared: z.boolean(),
  }),
  /** The coordinator, before it gives the job again: what the operators said, for this attempt alone. Closes the approval. */
  z.strictObject({ step: z.literal('consented'), hash: sha256Schema, consents: z.array(consent) }),
]);
export type JobBody = z.infer<typeof jobBodySchema>;
