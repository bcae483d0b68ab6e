/** JSON Schemas of the files that people write, for their editors: from the shapes in the code, with examples to begin from. */
import { z } from 'zod';
import { toolbox } from '../src/app/index.ts';
import { declarationSchema } from '../src/governance/tiers/index.ts';
import {
  agentSchema,
  configSchema,
  pipelineSchema,
  statusSchema,
  teamSchema,
  templateReference,
  templateSchema,
} from '../src/schemas/index.ts';
import { shippedTemplates } from '../src/work/pipeline/index.ts';

const shapes: Readonly<Record<string, readonly [z.ZodType, string]>> = {
  agent: [agentSchema, 'agov: the definition of an agent'],
  agov: [configSchema, 'agov: the configuration of a project'],
  pipeline: [pipelineSchema, 'agov: a pipeline'],
  team: [teamSchema, 'agov: a team of agents'],
  status: [statusSchema, 'agov: the front matter of a STATUS.md'],
  template: [templateSchema, 'agov: a template for pipelines'],
  tiers: [declarationSchema, 'agov: tiers and what each may do'],
};

/** Text by file name. */
export function editorSchemas(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(shapes).map(([name, [shape, title]]) => {
      const { $schema, ...schema } = jsonSchemaOf(shape) as Schema;
      const whole = { $schema, title, ...withStages(schema) };
      return [`${name}.schema.json`, `${JSON.stringify(whole, null, 2)}\n`];
    }),
  );
}

export function jsonSchemaOf(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

/** What is read and written of a JSON Schema here. */
interface Schema {
  readonly [key: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Both places of stages lead to one definition, which says what the shape in the code says in words of its own. */
function withStages(schema: Schema): Schema {
  const { stages, finally: final, ...others } = schema.properties ?? {};
  const stage = stages?.['additionalProperties'] as Schema | undefined; // a record's, as zod writes it
  if (!stages || !stage?.properties || !('needs' in stage.properties)) return schema;
  const place = (one: Schema): Schema => ({ ...one, additionalProperties: { $ref: '#/$defs/stage' } });
  const properties = { ...others, stages: place(stages), ...(final ? { finally: place(final) } : {}) };
  return { ...schema, properties, $defs: { ...(schema['$defs'] as object | undefined), stage: asWritten(stage) } };
}

function asWritten(stage: Schema): Schema {
  const known = Object.keys(stage.properties ?? {});
  const commands = ['run', 'uses', 'task'].filter((key) => known.includes(key));
  const means = { properties: { uses: { pattern: templateReference.source } }, required: ['uses'] };
  const properties = Object.entries(stage.properties ?? {}).map(([key, of]) => {
    const examples = stageExamples[key];
    return [key, examples === undefined ? of : { ...of, examples }];
  });
  return {
    ...stage,
    properties: Object.fromEntries(properties),
    if: means,
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { propertyNames: { enum: ['uses', 'with', 'needs', 'when'] } },
    else: { required: ['agent'], oneOf: commands.map((key) => ({ required: [key] })) },
  };
}

const stageExamples: Readonly<Record<string, readonly unknown[]>> = {
  needs: [['test']],
  run: [['npm', 'test'], './deploy.sh "$TARGET"'],
  uses: [
    ...toolbox().map(({ name }) => name),
    ...shippedTemplates().map((name) => `agov:${name}`),
    './parts.yaml#name',
  ],
  when: ['params.deploy', 'stages.test.outputs.count > 0'],
  foreach: ['params.hosts', 'stages.hosts.outputs.names'],
  matrix: [{ os: ['linux', 'mac'], node: [22, 24] }],
  outputs: [{ version: 'result.stdout.trim()' }, { hosts: { type: 'list', value: 'json(result.stdout).hosts' } }],
  retry: [{ attempts: 3, backoff: '5s', on: ['EXIT_75', 'TIMEOUT'] }],
  compensate: [{ run: ['sh', 'undo.sh'] }],
  artifacts: [{ log: 'stdout', 'report.xml': 'out/report.xml' }],
  secrets: [{ DATABASE_URL: 'dev/db' }],
  timeout: ['15m'],
};
