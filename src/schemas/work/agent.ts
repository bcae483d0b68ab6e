/** The definition of an agent, `agents/NAME.yaml`: what runs in its name, and the least that it needs for it. */
import { z } from 'zod';
import { durationPattern } from '../../kernel/index.ts';
import { jsonObjectSchema } from '../json.ts';
import { nameSchema, steersPrograms } from '../names.ts';
import { budgetSchema } from './budget.ts';

const duration = z.string().regex(durationPattern, 'write a whole number and a unit: 30s, 15m');
const variable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'use A-Z 0-9 _')
  .refine((name) => !steersPrograms(name), 'PATH and LD_* would start something else than the program that is judged')
  .refine((name) => !name.startsWith('AGOV_'), 'AGOV_* is what agov itself tells the agent');

const processSchema = z.strictObject({
  command: z
    .array(z.string().max(32_768))
    .min(1)
    .max(1000)
    .describe('Program and arguments. The task comes in the variable AGOV_TASK, its input as JSON in AGOV_INPUT.'),
  env: z.record(variable, z.string().max(32_768)).default({}).describe('Environment variables of the command.'),
});

export const llmLimits = { steps: 30, toolOutput: 32_768, repeats: 3, timeout: '30m' } as const;

const llmSchema = z.strictObject({
  model: nameSchema.describe('A model of `models` in agov.yaml.'),
  instructions: z
    .string()
    .min(1)
    .max(100_000)
    .describe('What it is to be and do; or `./file.md`, a file beside the definition.'),
  tools: z
    .array(z.string().min(1).max(100))
    .max(100)
    .default([])
    .describe(
      'Tools that it is told of: a name (`fs.read`), a group (`git`), or `exec` for commands. The rules judge each use.',
    ),
  output: jsonObjectSchema
    .optional()
    .describe('JSON Schema (of an object) that its answer must fit; later stages read it as `result.output`.'),
  approvals: z
    .enum(['park', 'tell'])
    .default('park')
    .describe(
      'What asks for approval ends the turn until operators have answered (`park`), or is told as refused for now.',
    ),
  limits: z
    .strictObject({
      steps: z.int().min(1).max(1000).default(llmLimits.steps).describe('Answers of the model.'),
      toolOutput: z
        .int()
        .min(256)
        .max(1_048_576)
        .default(llmLimits.toolOutput)
        .describe('Bytes of one tool’s output that the model is shown; the whole is kept by digest.'),
      context: z.int().min(1000).optional().describe('Tokens of the conversation, where fewer than the model takes.'),
      repeats: z
        .int()
        .min(2)
        .max(100)
        .default(llmLimits.repeats)
        .describe('How often the same call (or the same few in turn) may give the same result before it is a loop.'),
      timeout: duration.default(llmLimits.timeout).describe('Then it is stopped.'),
    })
    .prefault({}),
});

const runsSchema = z
  .strictObject({
    process: processSchema.optional().describe('A command, in the sandbox.'),
    llm: llmSchema.optional().describe('A language model that acts through tools.'),
    function: z
      .string()
      .regex(
        /^(?:\.\/[^\0]+\.[cm]?[jt]s|agov:[a-z][a-z0-9-]{0,62})$/,
        'write ./file.ts, beside the definition, or agov:NAME for one that comes with agov',
      )
      .optional()
      .describe(
        'A module whose default export is run in the sandbox: `./file.ts` beside the definition, or `agov:observer`.',
      ),
  })
  .refine((runs) => Object.keys(runs).length === 1, 'needs exactly one of "process", "llm" and "function"');

const functionFaults = { error: 'goes with "function"' } as const;

export const agentSchema = z
  .strictObject({
    apiVersion: z.literal('agov/v1'),
    kind: z.literal('Agent'),
    name: nameSchema.describe('Of the registered agent, and of the file.'),
    description: z.string().max(2000).optional(),
    tier: z
      .enum(['T0', 'T1', 'T2'])
      .describe(
        'What it needs and no more. An agent that is registered at another tier is not run by this definition.',
      ),
    runs: runsSchema,
    budget: budgetSchema.optional(),
    secrets: z
      .record(variable, z.string().min(1).max(512))
      .default({})
      .describe('Environment variable to secret path: leased for the command, or for each command that a model runs.'),
    model: nameSchema.optional().describe('A model of `models` in agov.yaml that a function may ask for advice.'),
    parameters: jsonObjectSchema
      .optional()
      .describe('Part of the input of every task of a function. A task that says otherwise is refused.'),
  })
  .refine(({ runs, model }) => runs.function !== undefined || model === undefined, {
    ...functionFaults,
    path: ['model'],
  })
  .refine(({ runs, parameters }) => runs.function !== undefined || parameters === undefined, {
    ...functionFaults,
    path: ['parameters'],
  });
export type AgentDefinition = z.infer<typeof agentSchema>;
export type LlmDefinition = z.infer<typeof llmSchema>;
