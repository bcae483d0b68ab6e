/** What is looked at before a run: the names of the checks, how a project sets them, and what of it a run keeps. */
import { z } from 'zod';
import { durationPattern } from '../../kernel/index.ts';

/** Those that only foretell what the run would meet: an operator may know better. */
const waivable = [
  'agents',
  'policy',
  'approvals',
  'programs',
  'tools',
  'secrets',
  'workspaces',
  'plans',
  'locks',
  'budget',
  'workers',
  'disk',
] as const;

/** Without those that are not waivable nothing would be allowed in the run either. */
export const preflightChecks = [...waivable, 'ledger', 'state', 'sandbox'] as const;
export type PreflightCheck = (typeof preflightChecks)[number];

export const preflightConfigSchema = z.strictObject({
  waivable: z
    .array(z.enum(waivable))
    .default([...waivable])
    .describe('Checks whose failure an operator may pass over with `--skip-preflight REASON`. `[]`: none.'),
  disk: z
    .int()
    .min(0)
    .default(268_435_456)
    .describe('Bytes that must be free where the record is kept before a run starts.'),
  deadline: z
    .string()
    .regex(durationPattern, 'write a whole number and a unit: 500ms, 30s, 15m')
    .default('10s')
    .describe('How long one check may take; then it has failed.'),
});

/** In the entry that starts or resumes a run. The whole report is its artifact `preflight.json`. */
export const preflightRecordSchema = z.strictObject({
  status: z.enum(['ok', 'warn', 'failed']),
  /** Checks that had failed, and the operator’s reason to go on. */
  waived: z.strictObject({ checks: z.array(z.string()), reason: z.string() }).optional(),
});
export type PreflightRecord = z.infer<typeof preflightRecordSchema>;
