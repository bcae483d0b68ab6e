/** Acting: a wrapped tool or a command, each decided on and recorded as if the operator had started it as this agent. */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Tool } from '../../../../adapters/tools/port.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { artifactRefSchema, jsonObjectSchema, nearest } from '../../../../schemas/index.ts';
import { type Collected, collector } from '../collected.ts';
import { answerOf, defineOperation, notAllowed, type Operation, type Seat } from '../operation.ts';
import type { OperationParts } from '../parts.ts';
import { narrowed, withinSchema } from './within.ts';

const minute = 60_000;
const longest = z
  .int()
  .min(100)
  .max(60 * minute)
  .default(15 * minute);

/** At most a quarter of what the system takes, so that it is refused here with a sentence. */
export const argvSchema = z
  .tuple([z.string().min(1).max(4096)], z.string().max(131_072))
  .refine(([, ...rest]) => rest.length < 4096, 'must have at most 4,096 words')
  .describe('Program and arguments; never a shell line.');

const variables = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a variable’s name'), z.string());

const streamSchema = z.strictObject({
  text: z.string().describe('The first 262,144 bytes.'),
  size: z.int().describe('Bytes in all.'),
  sha256: z.string().optional().describe('Digest of what was kept as an artifact.'),
});

export function actOperations(parts: OperationParts, { channel, parent }: Seat): readonly Operation[] {
  const { tools, useTool, exec, slots } = parts;
  return [
    defineOperation({
      name: 'act',
      description: 'Use a wrapped tool, such as fs.write or git.commit. See tools for their names and arguments.',
      input: z.strictObject({
        tool: z.string().min(1).max(128),
        args: jsonObjectSchema.default({}),
        within: withinSchema,
        timeoutMs: longest.describe('Then its commands are killed.'),
      }),
      output: answerOf({
        status: z.enum(['ok', 'failed']),
        reason: z.string().optional().describe('Why it failed.'),
        text: z.string().describe('A few lines for whoever asked; at most 262,144 bytes.'),
        facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
        artifacts: z.array(artifactRefSchema),
      }),
      async perform({ tool: name, args, within, timeoutMs }, signal) {
        const tool = toolNamed(tools, name);
        const place = await narrowed(channel, within);
        using _slot = slots.take(channel.run);
        const acted = await useTool({ channel: place, tool, args, begin: { parent }, timeoutMs, signal });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        const { status, reason, text, facts, artifacts } = acted.value;
        return {
          ...{ verdict: acted.verdict, intent: acted.id, status, text: cut(text), facts: { ...facts } },
          ...(reason === undefined ? {} : { reason }),
          artifacts: [...artifacts],
        };
      },
    }),
    defineOperation({
      name: 'exec',
      description: 'Run a command in a sandbox of its own, under the same rules as yours.',
      input: z.strictObject({
        argv: argvSchema,
        cwd: z.string().min(1).max(4096).optional().describe('Folder of the workspace.'),
        within: withinSchema,
        isolated: z
          .boolean()
          .default(false)
          .describe('Without this socket and without network: for what others wrote, such as tests of a change.'),
        env: variables.default({}),
        secrets: variables.default({}).describe('Variable to path of a secret, leased for this command alone.'),
        timeoutMs: longest.describe('Then it is killed.'),
      }),
      output: answerOf({
        exitCode: z.int(),
        signal: z.string().optional(),
        stopped: z.string().optional().describe('Why it was killed.'),
        durationMs: z.number(),
        stdout: streamSchema,
        stderr: streamSchema,
      }),
      async perform({ cwd, within, ...command }, signal) {
        const place = await narrowed(channel, within);
        using _slot = slots.take(channel.run);
        const [stdout, stderr] = [collector(maxText), collector(maxText)];
        const acted = await exec({
          ...{ ...command, channel: place, begin: { parent }, signal, stdin: 'none' },
          ...(cwd === undefined ? {} : { cwd: resolve(place.workspace, cwd) }),
          ...{ stdout: stdout.stream, stderr: stderr.stream },
        });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        const { code: exitCode, signal: by, stopped, durationMs } = acted.value;
        return {
          ...{ verdict: acted.verdict, intent: acted.id, exitCode, durationMs },
          ...(by === undefined ? {} : { signal: by }),
          ...(stopped === undefined ? {} : { stopped }),
          stdout: shown(stdout, acted.value.stdout?.sha256),
          stderr: shown(stderr, acted.value.stderr?.sha256),
        };
      },
    }),
  ];
}

/** @throws NOT_FOUND with the name that was probably meant */
export function toolNamed(tools: ReadonlyMap<string, Tool>, name: string): Tool {
  const tool = tools.get(name);
  if (tool) return tool;
  const meant = nearest(name, [...tools.keys()]);
  throw new AgovError('NOT_FOUND', {
    what: `There is no tool "${name.slice(0, 128)}".`,
    fix: meant ? `Did you mean "${meant}"?` : 'Ask for "tools".',
  });
}

const maxText = 262_144;

function cut(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= maxText ? text : bytes.subarray(0, maxText).toString('utf8');
}

function shown(collected: Collected, sha256: string | undefined): z.output<typeof streamSchema> {
  return { text: collected.text(), size: collected.size(), ...(sha256 === undefined ? {} : { sha256 }) };
}
