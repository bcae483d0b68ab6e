/**
 * `fs.write`: puts content into one file, made if need be with its folders. The intent holds the content's digest; a
 * file that exists keeps its mode, and a link in its place is written through to where the governor saw it lead.
 */
import { dirname } from 'node:path';
import { z } from 'zod';
import { sha256Hex } from '../../../kernel/index.ts';
import { defineTool } from '../define.ts';
import { failed } from '../exec-result.ts';
import { inWorkspace, pathSchema, workspacePath } from '../paths.ts';
import { look, runCore, systemReason } from './look.ts';

const maxBytes = 12_000_000;

export const fsWrite = defineTool({
  name: 'fs.write',
  summary: 'Writes one file, replacing what it held.',
  args: z.strictObject({
    path: pathSchema.describe('Path of the file, relative to the workspace. Missing folders are made.'),
    content: z
      .string()
      .refine((text) => text.isWellFormed(), 'must be well-formed text')
      .refine((text) => Buffer.byteLength(text) <= maxBytes, `must be at most ${maxBytes} bytes`)
      .describe('What the file holds afterwards, as UTF-8.'),
  }),
  async prepare({ path, content }, context) {
    const resource = workspacePath(context, path);
    const target = inWorkspace(context, resource);
    const bytes = Buffer.from(content);
    const about = { sha256: sha256Hex(bytes), size: bytes.length };
    return {
      intent: { action: 'fs.write', resource, args: about },
      facts: {},
      async perform(exec) {
        const { kind } = await look(exec, target, true);
        if (kind === 'directory') return failed(`${resource} is a directory; fs.write writes files.`);
        if (kind === 'special') return failed(`${resource} is not a regular file.`);
        const made = await runCore(exec, { argv: ['mkdir', '-p', '--', dirname(target)], access: 'write' });
        if (made.code !== 0) return failed(`The folder of ${resource} cannot be made: ${systemReason(made)}.`);
        // dd reads descriptor 0: /dev/stdin cannot be opened where standard input is a socket.
        const argv = ['dd', `of=${target}`, 'bs=1M', 'status=none', 'conv=fsync'] as const;
        const exit = await runCore(exec, { argv: [...argv], access: 'write', input: bytes });
        if (exit.code !== 0) return failed(`${resource} cannot be written: ${systemReason(exit)}.`);
        return {
          status: 'ok',
          facts: about,
          text: `Wrote ${bytes.length} bytes to ${resource}.`,
          artifacts: [{ name: resource, content: bytes }],
        };
      },
    };
  },
});
