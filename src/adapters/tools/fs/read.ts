/** `fs.read`: the exact bytes of one file, kept by hash as what the agent has seen. */
import { z } from 'zod';
import { sha256Hex } from '../../../kernel/index.ts';
import { defineTool } from '../define.ts';
import { failed } from '../exec-result.ts';
import { inWorkspace, pathSchema, workspacePath } from '../paths.ts';
import type { ToolResult } from '../port.ts';
import { look, runCore, systemReason } from './look.ts';

/** Base64 makes four bytes of three, and a command may print 16 MiB. */
const maxBytes = 12_000_000;
const maxText = 262_144;

export const fsRead = defineTool({
  name: 'fs.read',
  summary: 'Reads one file.',
  args: z.strictObject({ path: pathSchema.describe('Path of a file, relative to the workspace.') }),
  async prepare({ path }, context) {
    const resource = workspacePath(context, path);
    const target = inWorkspace(context, resource);
    return {
      intent: { action: 'fs.read', resource, args: {} },
      facts: {},
      async perform(exec) {
        const { kind, size } = await look(exec, target, true);
        if (kind === 'missing') return failed(`${resource} does not exist.`);
        if (kind === 'directory') return failed(`${resource} is a directory; fs.read reads files.`);
        if (kind === 'special') return failed(`${resource} is not a regular file.`);
        if (size > maxBytes) return failed(`${resource} has ${size} bytes; fs.read reads at most ${maxBytes}.`);
        // Output is taken as text, and a file may hold any bytes.
        const exit = await runCore(exec, { argv: ['base64', '-w0', '--', target], access: 'read' });
        if (exit.code !== 0) return failed(`${resource} cannot be read: ${systemReason(exit)}.`);
        return resultOf(resource, Buffer.from(exit.stdout, 'base64'));
      },
    };
  },
});

function resultOf(resource: string, content: Buffer): ToolResult {
  const sha256 = sha256Hex(content);
  const text = textOf(content);
  return {
    status: 'ok',
    facts: { sha256, size: content.length },
    text: text ?? `${resource}: ${content.length} bytes, not shown here. Artifact ${sha256} holds them.`,
    artifacts: [{ name: resource, content }],
  };
}

/** Undefined for what is too long to show or is not text. */
function textOf(content: Buffer): string | undefined {
  if (content.length > maxText || content.includes(0)) return undefined;
  const text = content.toString('utf8');
  return Buffer.from(text).equals(content) ? text : undefined;
}
