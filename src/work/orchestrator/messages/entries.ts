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
  z.strictObject({ step: z.literal('asked'), about: aboutSchema, approval: z.string(), hash: sha256Schema }),
  /** The coordinator: what the operators said goes to a worker, for this attempt alone; it closes the approval. */
  z.strictObject({ step: z.literal('consented'), hash: sha256Schema, consents: z.array(consent) }),
]);
export type JobBody = z.infer<typeof jobBodySchema>;
