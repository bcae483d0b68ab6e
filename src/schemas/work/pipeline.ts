/** The pipeline file. The language grows in place: unknown keys are faults, so that none is ever ignored. */
import { z } from 'zod';
import { jsonObjectSchema } from '../json.ts';
import { nameSchema, steersPrograms } from '../names.ts';
import { budgetSchema } from './budget.ts';
import { concurrencySchema, consentSchema, duration, expression, gateSchema, locksSchema, stageName } from './gates.ts';

export { duration, stageName };

export const relativePath = z
  .string()
  .min(1)
  .max(1024)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'must be a path inside the project');

/** Names that expressions use as they are. */
export const identifier = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'use a-z, 0-9 and _, beginning with a letter');
/** In a template, for what must be known before a run: the whole value of a parameter. */
const fixedHole = z.string().regex(/^\$\{\{\s*params\.[a-z][a-z0-9_]*\s*\}\}$/, 'write "${{ params.NAME }}"');
const maxItems = 1000;
const variable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'use A-Z 0-9 _')
  .refine((name) => !steersPrograms(name), 'PATH and LD_* would start something else than the program that is judged');

export const parameterTypes = ['string', 'int', 'number', 'bool', 'list', 'secret'] as const;

export const parameterSchema = z
  .strictObject({
    type: z
      .enum(parameterTypes)
      .default('string')
      .describe('`list` is of texts; `secret` is the path of a secret, which only `secrets` takes.'),
    default: z
      .union([z.string(), z.number(), z.boolean(), z.array(z.string()).max(1000)])
      .optional()
      .describe('Without it the parameter must be given.'),
    choices: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .max(100)
      .optional()
      .describe('The only values.'),
    description: z.string().max(500).optional(),
  })
  .describe('What a run is given from outside: `--param name=value`.');
export type Parameter = z.infer<typeof parameterSchema>;

export const parametersSchema = z
  .record(identifier, parameterSchema)
  .default({})
  .refine((all) => Object.keys(all).length <= 100, 'must hold at most 100 parameters');

export const outputSchema = z.union([
  expression,
  z.strictObject({
    type: z.enum(['string', 'int', 'double', 'bool', 'list', 'map']),
    value: expression,
  }),
]);

const command = {
  run: z
    .union([z.string().min(1).max(32_768), z.array(z.string()).min(1).max(1000)])
    .optional()
    .describe(
      'A command: a list of program and arguments, or a text that `sh` runs. `${{ … }}` stands in the list alone.',
    ),
  uses: z
    .string()
    .min(1)
    .optional()
    .describe('A tool, such as `git.commit`; or a template: `agov:plan-apply`, `./file.yaml#name`.'),
  task: z
    .string()
    .min(1)
    .max(32_768)
    .optional()
    .describe('What the agent is to do by its own definition (`agents/NAME.yaml`); `${{ … }}` is filled in.'),
  team: nameSchema
    .optional()
    .describe('A team (`teams/NAME.yaml`) that does the `task`; the stage’s `agent` is its lead.'),
  with: jsonObjectSchema
    .optional()
    .describe('Arguments of the tool or the template, or the input of the task; `${{ … }}` is filled in.'),
  env: z
    .record(variable, z.string().max(32_768))
    .default({})
    .describe('Environment variables of the command; `${{ … }}` is filled in.'),
  secrets: z
    .record(variable, z.string())
    .default({})
    .describe('Environment variable to secret path, or `${{ params.name }}` of type `secret`; leased for the command.'),
  timeout: z.union([duration, fixedHole]).optional().describe('Then it is killed and has failed: `30s`, `15m`.'),
};

interface Command {
  readonly run?: unknown;
  readonly uses?: unknown;
  readonly task?: unknown;
  readonly team?: unknown;
  readonly with?: unknown;
  readonly env: object;
}

/** What `uses` begins or ends with where it means a template and no tool: `agov:name`, `./file.yaml#name`. */
export const templateReference = /^(?:agov:|\.{0,2}\/)|#|\.ya?ml$/;
export function meansTemplate(uses: string | undefined): uses is string {
  return uses !== undefined && templateReference.test(uses);
}

const commandFaults: readonly [(command: Command) => boolean, string, string[]][] = [
  [
    ({ run, uses, task }) => [run, uses, task].filter((one) => one !== undefined).length === 1,
    'needs exactly one of "run", "uses" and "task"',
    [],
  ],
  [
    (one) => [one.with === undefined, one.uses !== undefined, one.task !== undefined].includes(true),
    '"with" goes with "uses" or "task"',
    ['with'],
  ],
  [(one) => one.team === undefined || one.task !== undefined, '"team" goes with "task"', ['team']],
  [(one) => Object.keys(one.env).length === 0 || one.run !== undefined, '"env" goes with "run"', ['env']],
];

function wellFormed(value: Command, context: z.core.$RefinementCtx): void {
  for (const [holds, message, path] of commandFaults) {
    // A copy: zod puts the way to the stage into the very list that it is given.
    if (!holds(value)) context.issues.push({ code: 'custom', message, path: [...path], input: value });
  }
}

/** What a stage can fail with, for `retry.on`; `EXIT` is any exit code but 0, `EXIT_75` that one. */
const failureSchema = z
  .string()
  .regex(/^(?:EXIT|EXIT_\d{1,3}|TIMEOUT|[A-Z][A-Z_]{2,40})$/, 'write EXIT, EXIT_<code>, TIMEOUT or a code of agov');

const retrySchema = z.strictObject({
  attempts: z.int().min(2).max(20).describe('Attempts in all, the first included.'),
  backoff: duration.default('1s').describe('Pause before the second attempt.'),
  factor: z.number().min(1).max(10).default(2).describe('By which each further pause grows.'),
  longest: duration.default('5m').describe('What no pause exceeds.'),
  on: z.array(failureSchema).min(1).optional().describe('Only after these failures; a denial is never tried again.'),
});

interface WithoutAgent {
  readonly agent?: string | undefined;
  readonly uses?: string | undefined;
}

/** Told together with whatever else is wrong with the stage. */
function needsAgent({ value, issues }: z.core.ParsePayload<WithoutAgent>): void {
  if (typeof value !== 'object' || value === null || value.agent !== undefined || meansTemplate(value.uses)) return;
  issues.push({ code: 'invalid_type', expected: 'string', path: ['agent'], input: undefined });
}

const scalar = z.union([z.string().max(1000), z.number(), z.boolean()]);
const matrixSchema = z
  .record(identifier, z.array(scalar).min(1).max(100))
  .refine((axes) => Object.keys(axes).length > 0, 'must hold at least one axis')
  .refine(
    (axes) => Object.values(axes).reduce((product, values) => product * values.length, 1) <= maxItems,
    `must not make more than ${maxItems} combinations`,
  );

export const stageSchema = z
  .strictObject({
    agent: z
      .union([nameSchema, fixedHole])
      .optional()
      .describe('The registered agent that does the work. Only a stage that stands for a template has none.'),
    needs: z
      .array(stageName)
      .max(1000)
      .default([])
      .describe('Stages that must have ended well, or been skipped, before.'),
    ...command,
    gate: gateSchema.optional().describe('What must be before it starts. `approval`: any one operator consents.'),
    locks: locksSchema.optional(),
    when: expression.optional().describe('A CEL condition: where it is false the stage is skipped.'),
    foreach: expression
      .optional()
      .describe('A CEL list: the stage runs once for each item, which it reads as `each.value` and `each.index`.'),
    matrix: matrixSchema
      .optional()
      .describe('Axis to values: the stage runs once for each combination, and reads `matrix.axis`.'),
    parallel: z.int().min(1).max(1000).optional().describe('How many items of `foreach` or `matrix` run at once.'),
    outputs: z
      .record(identifier, outputSchema)
      .default({})
      .describe(
        'Name to a CEL expression over `result`: what later stages may read. At most 16 KiB in all. With `foreach` or `matrix` they read a list.',
      ),
    retry: retrySchema.optional().describe('What to do when the stage fails.'),
    budget: budgetSchema
      .optional()
      .describe('What all attempts and items of the stage may spend together, out of the pipeline’s own.'),
    compensate: z
      .strictObject({ ...command, gate: consentSchema.optional() })
      .superRefine(wellFormed)
      .optional()
      .describe(
        'Undoes the stage, by the same agent, when the run fails later on. In reverse order of what was done. The stage’s `gate` is not its own.',
      ),
    workspace: relativePath.default('.').describe('Folder of the project to work in.'),
    artifacts: z
      .record(z.string().min(1).max(255), z.union([z.literal('stdout'), relativePath]))
      .default({})
      .describe('Name to `stdout` or a file of the workspace, kept by digest.'),
    expect: z
      .enum(['ok', 'denied'])
      .default('ok')
      .describe('`denied`: the stage ends well if the rules refuse it, and fails if they do not.'),
  })
  .superRefine(wellFormed)
  .refine((stage) => stage.foreach === undefined || stage.matrix === undefined, {
    error: '"foreach" and "matrix" exclude each other',
    path: ['matrix'],
  })
  .refine((stage) => stage.parallel === undefined || stage.foreach !== undefined || stage.matrix !== undefined, {
    error: '"parallel" goes with "foreach" or "matrix"',
    path: ['parallel'],
  })
  .check(z.core._check<WithoutAgent>(needsAgent, { when: () => true }));
/** As it is written; one whose `uses` means a template stands for the template’s stages. */
export type WrittenStage = z.infer<typeof stageSchema>;
/** As it runs. */
export type Stage = WrittenStage & { readonly agent: string };

export const stagesSchema = z
  .record(stageName, stageSchema)
  .refine((stages) => Object.keys(stages).length <= 1000, 'must hold at most 1,000 stages');

export const someStages = stagesSchema.refine(
  (stages) => Object.keys(stages).length > 0,
  'must hold at least one stage',
);

export const pipelineSchema = z.strictObject({
  apiVersion: z.literal('agov/v1'),
  kind: z.literal('Pipeline'),
  name: nameSchema,
  description: z.string().max(2000).optional(),
  parameters: parametersSchema,
  parallel: z.int().min(1).max(1000).default(4).describe('How many stages run at once.'),
  budget: budgetSchema
    .optional()
    .describe('What a run may spend; what undoes it and its final stages are counted and not held to it.'),
  concurrency: concurrencySchema.optional(),
  stages: someStages,
  finally: stagesSchema.default({}).describe('Stages that run at the end, whatever came before.'),
});
/** As it is written. */
export type PipelineFile = z.infer<typeof pipelineSchema>;
