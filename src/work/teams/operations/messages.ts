/** Messages between agents. Who writes is known from the channel; whom one may write to is decided at each. */
import { z } from 'zod';
import { AgovError, canonicalJson, sha256Hex } from '../../../kernel/index.ts';
import { jsonSchema, nameSchema } from '../../../schemas/index.ts';
import { answerOf, defineOperation, notAllowed, type Operation, type Seat, tooMany } from '../../agents/index.ts';
import { type InboxParts, inboxOf, type MessageFacts, mostBytes, mostWaiting } from '../messages/inbox.ts';

const pollMs = 100;

export function messageOperations(parts: InboxParts, { channel, parent }: Seat): readonly Operation[] {
  const { env, governor, artifacts, standings, state } = parts;
  const lead = (): string => {
    const [, above] = standings.line(channel.agent);
    if (above) return above.name;
    throw new AgovError('NOT_FOUND', { what: 'You have no lead.', why: 'An operator added you.' });
  };
  return [
    defineOperation({
      name: 'message.send',
      description: 'Write to your lead, or to an agent that works for you; in some teams also to those beside you.',
      input: z.strictObject({
        to: nameSchema.describe(
          'Its name; "lead" is the one that started you, if nobody who may hear you has that name.',
        ),
        text: z.string().min(1).max(mostBytes).optional(),
        data: jsonSchema.optional().describe('Instead of text.'),
      }),
      output: answerOf({ to: z.string() }),
      async perform({ to, text, data }) {
        if ((text === undefined) === (data === undefined)) {
          throw new AgovError('INPUT_INVALID', { what: 'A message has a text or data.', fix: 'Give one of them.' });
        }
        const kind = text === undefined ? 'data' : 'text';
        const content = text ?? canonicalJson(data ?? null);
        const bytes = Buffer.byteLength(content);
        if (bytes > mostBytes) throw tooLarge(bytes);
        const whom = to === 'lead' && standings.line(to)[0].agent === undefined ? lead() : to;
        const intent = {
          action: 'agent.message',
          resource: whom,
          args: { sha256: sha256Hex(content), bytes, kind },
        } as const;
        const acted = await governor.act(
          channel,
          intent,
          async () => {
            const { accepted } = await state.counters.add(`inbox:${channel.run}:${whom}`, 1, mostWaiting);
            if (!accepted) throw tooMany(`${mostWaiting} messages were sent to "${whom}" in this run.`);
            const kept = await artifacts.put('message', content);
            const facts: MessageFacts = { message: kept.sha256, kind };
            return { value: whom, outcome: { status: 'ok', facts: { ...facts }, artifacts: [kept] } };
          },
          { parent },
        );
        if (acted.verdict !== 'allow') return notAllowed(acted);
        return { verdict: acted.verdict, intent: acted.id, to: acted.value };
      },
    }),
    defineOperation({
      name: 'message.inbox',
      description: 'What was written to you in this run, oldest first. Ask again with `after` for what came since.',
      input: z.strictObject({
        after: z.int().min(-1).default(-1).describe('The `seq` of the last one that you have read.'),
        wait: z.int().min(0).max(50_000).default(0).describe('Milliseconds to wait for one, where there is none.'),
      }),
      output: answerOf({
        messages: z.array(
          z.strictObject({
            seq: z.int(),
            from: z.string(),
            at: z.string(),
            text: z.string().optional(),
            data: jsonSchema.optional(),
          }),
        ),
        more: z.boolean(),
      }),
      async perform({ after, wait }, signal) {
        const intent = { action: 'state.read', resource: `${channel.agent}/inbox`, args: { after } } as const;
        const look = async () => {
          const until = env.monotonic() + wait;
          for (let from = after; ; ) {
            const { messages, more, seen } = await inboxOf(parts, channel, from);
            from = seen;
            if (messages.length > 0 || env.monotonic() >= until || signal.aborted) {
              return {
                value: { messages, more },
                outcome: { status: 'ok' as const, facts: { messages: messages.length } },
              };
            }
            // Only the abort rejects it, which is looked at above.
            await env.sleep(Math.min(pollMs, until - env.monotonic()), signal).catch(() => undefined);
          }
        };
        const acted = await governor.act(channel, intent, look, { parent });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        return { verdict: acted.verdict, intent: acted.id, ...acted.value };
      },
    }),
  ];
}

function tooLarge(bytes: number): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `The message has ${bytes} bytes; ${mostBytes} are allowed.`,
    fix: 'Put what is long on the board or into a file, and name it.',
  });
}
