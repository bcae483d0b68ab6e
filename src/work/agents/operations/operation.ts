/** One thing that an agent may ask, whoever carries its words: its socket, the loop of a language model, MCP. */
import { z } from 'zod';
import type { Begun, Channel } from '../../../governance/governor/index.ts';
import { AgovError, type Json } from '../../../kernel/index.ts';

export interface Operation {
  readonly name: string;
  /** For whoever has to choose among them: a person, a language model. */
  readonly description: string;
  /** Strict: an unknown key is a fault. */
  readonly input: z.ZodObject;
  readonly output: z.ZodType;
  /** Secrets that its asker was leased are taken out of what is given, instead of refused. */
  readonly redacts?: true;
  /** A denial and a question are values. @throws INPUT_INVALID, AGENT_NOT_ACTIVE, TOO_MANY_REQUESTS, and what performs it throws */
  perform(input: unknown, context: { readonly signal: AbortSignal }): Promise<Json>;
}

/** Who asks, and where in the tree of intents. Known from the connection, never from what came over it. */
export interface Seat {
  readonly channel: Channel;
  /** The intent of the process that asks: all that it asks for hangs below. */
  readonly parent: string;
  /** Values that the process was leased: they do not go on record by what it asks. */
  readonly secrets?: readonly string[];
}

interface Definition<Input extends z.ZodObject, Output extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly redacts?: true;
  perform(input: z.output<Input>, signal: AbortSignal): Promise<z.input<Output>>;
}

/** Ties the schemas to the types of what is asked and answered. */
export function defineOperation<Input extends z.ZodObject, Output extends z.ZodType>(
  definition: Definition<Input, Output>,
): Operation {
  const { name, description, input, output, redacts } = definition;
  return {
    ...{ name, description, input, output },
    ...(redacts ? { redacts } : {}),
    async perform(given, { signal }) {
      const parsed = input.safeParse(given);
      if (!parsed.success) throw malformed(name, input, parsed.error);
      return (await definition.perform(parsed.data, signal)) as Json; // every output's schema is one of JSON
    },
  };
}

function malformed(name: string, input: z.ZodObject, { issues }: z.ZodError): AgovError {
  const shown = issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  const keys = Object.keys(input.shape);
  return new AgovError('INPUT_INVALID', {
    what: `${name} cannot be asked in this way.`,
    why: shown.join('; ').slice(0, 1000),
    fix: keys.length === 0 ? 'It takes an empty object.' : `It takes ${keys.join(', ')}.`,
  });
}

const told = {
  intent: z.string().describe('Id of the intent’s entry in the ledger.'),
  reasons: z.array(z.string()).describe('Sentences, the decisive one first.'),
  policies: z.array(z.string()).describe('Ids of the policies that determined it.'),
};
const askedSchema = z.strictObject({
  verdict: z.literal('ask'),
  ...told,
  approval: z
    .strictObject({ id: z.string(), expiresAt: z.string() })
    .describe('What an operator must consent to; ask the same again after that.'),
});
const deniedSchema = z.strictObject({ verdict: z.literal('deny'), ...told });

/** What comes of an intent: with `shape` where it was allowed. */
export function answerOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const allowed = z.strictObject({ verdict: z.literal('allow'), intent: told.intent, ...shape });
  return z.discriminatedUnion('verdict', [allowed, askedSchema, deniedSchema]);
}

export type NotAllowed = z.output<typeof askedSchema> | z.output<typeof deniedSchema>;

export function notAllowed(begun: Exclude<Begun, { readonly verdict: 'allow' }>): NotAllowed {
  const { id: intent, decision } = begun;
  const why = { intent, reasons: [...decision.reasons], policies: [...decision.policies] };
  if (begun.verdict === 'deny') return { verdict: 'deny', ...why };
  const { id, expiresAt } = begun.approval;
  return { verdict: 'ask', ...why, approval: { id, expiresAt } };
}
