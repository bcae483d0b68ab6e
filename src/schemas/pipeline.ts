/** The pipeline file. The language grows in place: unknown keys are faults, so that none is ever ignored. */
import { z } from 'zod';
import { durationPattern } from '../kernel/index.ts';
import { jsonObjectSchema } from './json.ts';
import { nameSchema } from './names.ts';

const stageName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'use a-z, 0-9 and -, beginning with a letter');
const relativePath = z
  .string()
  .min(1)
  .max(1024)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'must be a path inside the project');

export const stageSchema = z
  .strictObject({
    agent: nameSchema.describe('The registered agent that does the work.'),
    needs: z.array(stageName).max(200).default([]).describe('Stages that must have ended well before.'),
    run: z
      .union([z.string().min(1).max(32_768), z.array(z.string()).min(1).max(1000)])
      .optional()
      .describe('A command: a list of program and arguments, or a text that `sh` runs.'),
    uses: z.string().min(1).optional().describe('A tool, such as `git.commit`.'),
    with: jsonObjectSchema.optional().describe('The tool’s arguments.'),
    workspace: relativePath.default('.').describe('Folder of the project to work in.'),
    gate: z.literal('approval').optional().describe('`approval`: an operator must consent, also where no policy asks.'),
    secrets: z
      .record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'use A-Z 0-9 _'), z.string())
      .default({})
      .describe('Environment variable to secret path, leased for the command alone.'),
    artifacts: z
      .record(z.string().min(1).max(255), z.union([z.literal('stdout'), relativePath]))
      .default({})
      .describe('Name to `stdout` or a file of the workspace, kept by digest.'),
    timeout: z.string().regex(durationPattern, 'write a whole number and a unit: 30s, 15m').optional(),
    expect: z
      .enum(['ok', 'denied'])
      .default('ok')
      .describe('`denied`: the stage ends well if the rules refuse it, and fails if they do not.'),
  })
  .refine((stage) => (stage.run === undefined) !== (stage.uses === undefined), {
    error: 'needs exactly one of "run" and "uses"',
  })
  .refine((stage) => stage.with === undefined || stage.uses !== undefined, {
    error: '"with" goes with "uses"',
    path: ['with'],
  });
export type Stage = z.infer<typeof stageSchema>;

export const pipelineSchema = z.strictObject({
  apiVersion: z.literal('agov/v1'),
  kind: z.literal('Pipeline'),
  name: nameSchema,
  description: z.string().max(2000).optional(),
  stages: z
    .record(stageName, stageSchema)
    .refine((stages) => Object.keys(stages).length > 0, 'must hold at least one stage')
    .refine((stages) => Object.keys(stages).length <= 1000, 'must hold at most 1,000 stages'),
});
export type Pipeline = z.infer<typeof pipelineSchema>;
