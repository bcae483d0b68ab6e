/** What an agent may know of itself: who it is, which tools there are, and what would be said to it. Nothing happens. */
import { z } from 'zod';
import type { Explanation } from '../../../../governance/policy/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { jsonObjectSchema, tierSchema, verdictSchema } from '../../../../schemas/index.ts';
import { activeAgent } from '../../acting/active.ts';
import { execIntent } from '../../acting/exec.ts';
import { defineOperation, type Operation, type Seat } from '../operation.ts';
import type { OperationParts } from '../parts.ts';
import { argvSchema, toolNamed } from './acts.ts';

export function aboutOperations(parts: OperationParts, seat: Seat): readonly Operation[] {
  const { governor, budgets, tools, explainTool, slots } = parts;
  const { channel, parent } = seat;
  return [
    defineOperation({
      name: 'whoami',
      description: 'Who you are: name, tier, run and workspace, and what is left of your budget.',
      input: z.strictObject({}),
      output: z.strictObject({
        agent: z.string(),
        tier: tierSchema,
        run: z.string(),
        workspace: z.string(),
        intent: z.string().describe('The intent by which your process was started; all that you ask for is below it.'),
        left: z
          .strictObject({
            actions: z.number().optional(),
            tokens: z.number().optional(),
            ms: z.number().optional(),
            moneyMicros: z.number().optional(),
          })
          .optional()
          .describe('Of each kind that your budget, or one above it, limits.'),
      }),
      async perform() {
        const { tier } = await activeAgent(governor, channel);
        const { agent, run, workspace, budget } = channel;
        const left = budget === undefined ? {} : { left: { ...budgets.remaining(budget) } };
        return { agent, tier, run, workspace, intent: parent, ...left };
      },
    }),
    defineOperation({
      name: 'tools',
      description: 'The wrapped tools, with the JSON Schema of their arguments. Each use is decided on when you act.',
      input: z.strictObject({}),
      output: z.strictObject({
        tools: z.array(z.strictObject({ name: z.string(), summary: z.string(), args: jsonObjectSchema })),
      }),
      async perform() {
        const described = [...tools.values()].map(({ name, summary, args }) => {
          const { $schema: _draft, ...schema } = z.toJSONSchema(args, { io: 'input', unrepresentable: 'any' });
          return { name, summary, args: jsonObjectSchema.parse(schema) };
        });
        return { tools: described };
      },
    }),
    defineOperation({
      name: 'explain',
      description: 'What would be said to the use of a tool, or to a command, and why. Nothing is done or recorded.',
      input: z.strictObject({
        tool: z.string().optional().describe('Name of a wrapped tool; with `args`.'),
        args: jsonObjectSchema.optional(),
        argv: argvSchema.optional().describe('Or a command.'),
      }),
      output: z.strictObject({
        verdict: verdictSchema,
        reasons: z.array(z.string()),
        policies: z.array(z.string()),
        approvals: z.int().optional().describe('Operators that would have to consent.'),
        lowestTier: tierSchema.optional().describe('The lowest tier that would be allowed.'),
      }),
      async perform({ tool, args = {}, argv }, signal) {
        if ((tool === undefined) === (argv === undefined)) {
          throw new AgovError('INPUT_INVALID', { what: 'explain takes a tool or an argv.', fix: 'Give one of them.' });
        }
        if (tool === undefined) return told(await governor.explain(channel, execIntent({ argv: argv ?? [''] })));
        // A tool looks before it is judged, which takes a process.
        using _slot = slots.take(channel.run);
        return told(await explainTool({ channel, tool: toolNamed(tools, tool), args, signal }));
      },
    }),
  ];
}

function told({ decision, approvals, lowestTier }: Explanation) {
  return {
    verdict: decision.verdict,
    reasons: [...decision.reasons],
    policies: [...decision.policies],
    ...(approvals === undefined ? {} : { approvals }),
    ...(lowestTier === undefined ? {} : { lowestTier }),
  };
}
