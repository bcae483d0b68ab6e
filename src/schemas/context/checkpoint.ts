/** Which checkpoints are taken unasked, and how many of those stay. */
import { z } from 'zod';

export const checkpointConfigSchema = z.strictObject({
  auto: z
    .array(z.enum(['stage-end', 'drain']))
    .max(2)
    .default([])
    .describe(
      'When a checkpoint is taken unasked: `stage-end`, after each stage of `agov pipeline run`; `drain`, when `agov serve` or a worker is told to stop.',
    ),
  keep: z
    .int()
    .min(1)
    .max(10_000)
    .default(50)
    .describe('How many of those that were taken unasked stay; older ones are removed, and no other.'),
});
