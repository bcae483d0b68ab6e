/** OpenAPI 3.1 of the operations, from the schemas by which they are checked. */
import { z } from 'zod';
import type { Json } from '../../kernel/index.ts';
import type { Operation } from '../../work/agents/index.ts';

export function openApi(operations: readonly Pick<Operation, 'name' | 'description' | 'input' | 'output'>[]): Json {
  const paths = operations.map(({ name, description, input, output }) => [
    `/v1/${name}`,
    {
      post: {
        operationId: name,
        summary: description,
        requestBody: { required: true, content: { 'application/json': { schema: schemaOf(input, 'input') } } },
        responses: {
          200: { description: 'The answer.', content: { 'application/json': { schema: schemaOf(output, 'output') } } },
          default: { $ref: '#/components/responses/Error' },
        },
      },
    },
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Agent socket',
      version: '1',
      description: 'What a process that runs as an agent may ask, over the Unix socket that AGOV_SOCKET names.',
    },
    servers: [{ url: 'http://localhost', description: 'The host name is not looked at.' }],
    paths: Object.fromEntries(paths),
    components: { responses: { Error: errorResponse } },
  };
}

const errorResponse = {
  description: 'Nothing was done. The status is that of the error’s code.',
  content: {
    'application/json': {
      schema: schemaOf(
        z.strictObject({
          error: z.strictObject({
            code: z.string().describe('See the table of error codes.'),
            what: z.string(),
            why: z.string().optional(),
            fix: z.string().optional(),
            retry: z.boolean().describe('Whether the same request may succeed later.'),
            details: z.record(z.string(), z.json()).optional(),
          }),
        }),
        'output',
      ),
    },
  },
};

/** Draft 2020-12 is what OpenAPI 3.1 speaks. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _draft, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest as Json; // what is made for JSON is JSON
}
