/** Ties a tool's schema to the type of its arguments, and parses them once more where they are used. */
import { z } from 'zod';
import { AgovError } from '../../kernel/index.ts';
import type { Tool, ToolCall, ToolContext, ToolExec, ToolNeed } from './port.ts';

interface Definition<Args extends z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly args: Args;
  readonly needs?: readonly ToolNeed[];
  prepare(args: z.output<Args>, context: ToolContext, exec: ToolExec): Promise<ToolCall>;
}

export function defineTool<Args extends z.ZodObject>(definition: Definition<Args>): Tool {
  return {
    name: definition.name,
    summary: definition.summary,
    args: definition.args,
    ...(definition.needs === undefined ? {} : { needs: definition.needs }),
    async prepare(args, context, exec) {
      const parsed = definition.args.safeParse(args);
      if (!parsed.success) {
        throw new AgovError('INPUT_INVALID', {
          what: `The arguments of ${definition.name} are not valid.`,
          why: z.prettifyError(parsed.error).slice(0, 500),
          fix: `It takes ${Object.keys(definition.args.shape).join(', ')}.`,
        });
      }
      return definition.prepare(parsed.data, context, exec);
    },
  };
}
