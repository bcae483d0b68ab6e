/** `fs.delete`: removes one file, or one link and not what it points to. Never a folder. */
import { z } from 'zod';
import { defineTool } from '../define.ts';
import { failed } from '../exec-result.ts';
import { inWorkspace, pathSchema, workspacePath } from '../paths.ts';
import { look, runCore, systemReason } from './look.ts';

export const fsDelete = defineTool({
  name: 'fs.delete',
  summary: 'Deletes one file.',
  args: z.strictObject({ path: pathSchema.describe('Path of a file, relative to the workspace.') }),
  async prepare({ path }, context) {
    const resource = workspacePath(context, path);
    const target = inWorkspace(context, resource);
    return {
      intent: { action: 'fs.delete', resource, args: {} },
      facts: {},
      async perform(exec) {
        const { kind } = await look(exec, target, false);
        if (kind === 'missing') return failed(`${resource} does not exist.`);
        if (kind === 'directory') return failed(`${resource} is a directory; fs.delete deletes files one by one.`);
        const exit = await runCore(exec, { argv: ['rm', '--', target], access: 'write' });
        if (exit.code !== 0) return failed(`${resource} cannot be deleted: ${systemReason(exit)}.`);
        return { status: 'ok', facts: {}, text: `Deleted ${resource}.`, artifacts: [] };
      },
    };
  },
});
