/** Tools that the governor performs: inside a governed process its socket is who the agent is, and nothing here can be. */
import { z } from 'zod';
import { connect } from '../../agent-client/index.ts';
import { changesNothing, type Tool, toolName } from './tool.ts';

const wanted = /^(?:memory|checkpoint|status)\./;

const describedSchema = z.object({
  paths: z.record(
    z.string(),
    z.object({
      post: z.object({
        operationId: z.string(),
        summary: z.string(),
        requestBody: z.object({
          content: z.object({
            'application/json': z.object({ schema: z.looseObject({ type: z.literal('object') }) }),
          }),
        }),
      }),
    }),
  ),
});

/** @throws what the agent's client throws */
export async function remoteTools(socket: string): Promise<readonly Tool[]> {
  const agent = connect({ socket });
  const { paths } = describedSchema.parse(await agent.describe());
  return Object.values(paths)
    .map(({ post }) => post)
    .filter(({ operationId }) => wanted.test(operationId))
    .map(({ operationId, summary, requestBody }) => ({
      ...{ name: toolName(operationId), description: summary, readOnly: changesNothing(operationId) },
      inputSchema: requestBody.content['application/json'].schema,
      call: (input, signal) => agent.call(operationId, (input ?? {}) as never, { signal }),
    }));
}
