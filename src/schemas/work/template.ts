/** Templates: stages with parameters, which a stage of a pipeline stands for; and a pipeline with all of them in place. */
import { z } from 'zod';
import type { JsonObject } from '../../kernel/index.ts';
import {
  identifier,
  meansTemplate,
  outputSchema,
  type Parameter,
  type PipelineFile,
  parametersSchema,
  type Stage,
  someStages,
  stageName,
  stageSchema,
} from './pipeline.ts';

export const templateSchema = z.strictObject({
  apiVersion: z.literal('agov/v1'),
  kind: z.literal('Template'),
  name: stageName.describe('By which a stage uses it: `uses: ./file.yaml#name`.'),
  description: z.string().max(2000).optional(),
  parameters: parametersSchema.describe('What a stage that uses it writes under `with`.'),
  stages: someStages.describe('They see the template’s own parameters and each other, and nothing of who uses it.'),
  outputs: z
    .record(identifier, outputSchema)
    .default({})
    .describe('Name to a CEL expression over `stages`: what the stages after it may read.'),
});
export type Template = z.infer<typeof templateSchema>;

/** A stage as it runs: one that stands for a template is none. */
export const runningStageSchema = stageSchema.transform((stage, context): Stage => {
  const { agent, uses } = stage;
  if (agent !== undefined && !meansTemplate(uses)) return { ...stage, agent };
  context.issues.push({ code: 'custom', message: 'is no stage that can run', input: stage });
  return z.NEVER;
});

/** A stage that stood for a template, by what is left of it once the template’s stages are in its place. */
export interface Call {
  /** As `uses` has it. */
  readonly template: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly with: JsonObject;
  readonly when: string | undefined;
  readonly outputs: Template['outputs'];
  readonly final: boolean;
}

export interface Expansion {
  /** By name: `deploy`, and `deploy.check` for one inside the template of `deploy`. */
  readonly calls: Readonly<Record<string, Call>>;
  /** What each stage and call needs among its own file’s or template’s, by full names. */
  readonly needs: Readonly<Record<string, readonly string[]>>;
  /** The text of each file of templates that was read, by its path in the project, or as `agov:name`. */
  readonly files: Readonly<Record<string, string>>;
}

/** As it runs: flat, each stage of a template named after the stage that stood for it, as in `deploy.apply`. */
export interface Pipeline extends Omit<PipelineFile, 'stages' | 'finally'> {
  readonly stages: Record<string, Stage>;
  readonly finally: Record<string, Stage>;
  /** Absent where no template is used. */
  readonly expansion?: Expansion;
}
