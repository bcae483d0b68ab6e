/** What a run writes of itself into the ledger. */
import { z } from 'zod';
import { governorMarkSchema } from '../../../governance/governor/index.ts';
import {
  eventNameSchema,
  jsonObjectSchema,
  jsonSchema,
  nameSchema,
  preflightRecordSchema,
  sha256Schema,
} from '../../../schemas/index.ts';

const by = { operator: nameSchema, user: z.string() };
/** What was found before it; the whole of it is the entry's artifact. */
const preflight = preflightRecordSchema.optional();

export const runBodySchema = z.discriminatedUnion('step', [
  z.strictObject({
    step: z.literal('started'),
    pipeline: nameSchema,
    file: z.string(),
    /** Digest of the pipeline's text, which is kept as an artifact: a resumed run goes on with exactly that. */
    source: sha256Schema,
    /** As the run was given them, defaults filled in. One of type `secret` is a path, never a value. */
    params: jsonObjectSchema.default({}),
    /** The run whose well-ended stages this one takes over. */
    retryOf: z.string().optional(),
    preflight,
    ...by,
    driver: governorMarkSchema,
    /** Where its units are done, for as long as it lasts: one that a worker may have begun is done by nobody else. */
    engine: z.literal('bullmq').optional(),
  }),
  z.strictObject({ step: z.literal('resumed'), preflight, ...by, driver: governorMarkSchema }),
  z.strictObject({
    step: z.literal('waiting'),
    approvals: z.array(z.string()),
    events: z.array(z.string()).optional(),
  }),
  /** An operator's word to the stages that wait for it, now or later. */
  z.strictObject({ step: z.literal('signalled'), name: eventNameSchema, data: jsonSchema, ...by }),
  /** From here on nothing new starts but what undoes and ends. */
  z.strictObject({ step: z.literal('cancelling'), reason: z.string() }),
  z.strictObject({
    step: z.literal('ended'),
    status: z.enum(['ok', 'failed', 'cancelled']),
    reason: z.string().optional(),
  }),
]);
export type RunBody = z.infer<typeof runBodySchema>;

/** The order of an operator to kill the run: from it on the run is over, whatever its driver still writes. */
export const killSchema = z.object({ step: z.literal('ordered'), operator: z.string(), reason: z.string() });

/** One thing to do: a stage, one of its items, or what undoes either. */
const unit = {
  stage: z.string(),
  item: z.int().min(0).optional(),
  undo: z.literal(true).optional(),
};

const workerSchema = z.strictObject({ name: nameSchema, host: z.string(), key: z.string() });
export type Worker = z.infer<typeof workerSchema>;

const tokens = z.record(z.string(), z.int().min(1));

export const stageBodySchema = z.discriminatedUnion('step', [
  /** The items that `foreach` or `matrix` gave: evaluated once, so that a resumed run has the same ones. */
  z.strictObject({ step: z.literal('expanded'), stage: z.string(), items: z.array(jsonSchema) }),
  z.strictObject({ step: z.literal('skipped'), ...unit, reason: z.string() }),
  /** Done well by an earlier run. */
  z.strictObject({ step: z.literal('reused'), ...unit, from: z.string(), outputs: jsonObjectSchema }),
  /** From here on its gate waits for an event; `until` (RFC 3339) at the latest. */
  z.strictObject({ step: z.literal('awaiting'), ...unit, event: eventNameSchema, until: z.string().optional() }),
  z.strictObject({
    step: z.literal('started'),
    ...unit,
    attempt: z.int().min(1),
    /** Name to fencing token of each lock that it holds. */
    locks: tokens.optional(),
  }),
  /** The locks that it holds since it was taken up again. */
  z.strictObject({ step: z.literal('locked'), ...unit, attempt: z.int().min(1), locks: tokens }),
  z.strictObject({
    step: z.literal('ended'),
    ...unit,
    attempt: z.int().min(1),
    status: z.enum(['ok', 'failed', 'denied']),
    /** Of a failure: a code of the error table, `EXIT_<code>` or `TIMEOUT`. */
    code: z.string().optional(),
    reason: z.string().optional(),
    outputs: jsonObjectSchema.default({}),
    /** RFC 3339: another attempt begins then, and the stage has not ended. */
    retryAt: z.string().optional(),
    durationMs: z.number(),
    /** Who did it, where that was a worker; the rest is in its ledger, below the entry of this attempt. */
    worker: workerSchema.optional(),
  }),
]);
export type StageBody = z.infer<typeof stageBodySchema>;

export interface Unit {
  readonly stage: string;
  readonly item?: number;
  readonly undo?: true;
}

/** `test`, `test[2]`, `~test[2]`: no stage's name has these characters. */
export function unitKey({
  stage,
  item,
  undo,
}: {
  stage: string;
  item?: number | undefined;
  undo?: true | undefined;
}): string {
  return `${undo ? '~' : ''}${stage}${item === undefined ? '' : `[${item}]`}`;
}
