/** What an agent may do about others that work for it: start, look, wait, stop. */
import { z } from 'zod';
import { limitsOf } from '../../../governance/budgets/index.ts';
import { secretPattern } from '../../../governance/delegation/index.ts';
import { AgovError, type Env, isoTime } from '../../../kernel/index.ts';
import {
  budgetSchema,
  jsonObjectSchema,
  jsonSchema,
  nameSchema,
  roleSchema,
  tierSchema,
} from '../../../schemas/index.ts';
import { answerOf, defineOperation, notAllowed, type Operation, type Seat } from '../../agents/index.ts';
import { type Child, type Children, type ChildWish, roleOf, type SpawnCall } from '../children/index.ts';
import type { LiveTeams } from '../live.ts';

export interface ChildOperationParts {
  readonly env: Env;
  readonly children: Children;
  readonly teams: LiveTeams;
}

const mostText = 65_536;

const endSchema = z.strictObject({
  status: z.enum(['ok', 'failed', 'unknown']),
  end: z.string(),
  exitCode: z.int(),
  reason: z.string().optional(),
  text: z.string().describe('The first 65,536 characters.'),
  output: jsonSchema.optional(),
});
const stateSchema = z.enum(['running', 'ended']);

export function childOperations(parts: ChildOperationParts, seat: Seat): readonly Operation[] {
  const { env, children, teams } = parts;
  const { channel } = seat;
  const own = (name: string): Child => {
    const child = children.under(channel).find((one) => one.name === name);
    if (child) return child;
    throw new AgovError('NOT_FOUND', { what: `No "${name}" works under you.`, fix: 'See "children".' });
  };
  return [
    defineOperation({
      name: 'spawn',
      description:
        'Start an agent that works for you, by a definition, or in a team by a role. It never has more than you, and ends with you.',
      input: z.strictObject({
        definition: nameSchema.optional().describe('Whose definition it runs by (agents/NAME.yaml).'),
        role: roleSchema.optional().describe('In a team: the role. Otherwise a label, part of its name.'),
        under: nameSchema.optional().describe('In a team: under which of several it is to stand.'),
        task: z.string().min(1).max(32_768),
        input: jsonObjectSchema.optional(),
        tier: tierSchema.optional().describe('That of its definition, or a lower one.'),
        budget: budgetSchema.optional().describe('Out of what you have left.'),
        minutes: z.number().positive().max(1440).optional().describe('How long it may live.'),
        secrets: z
          .array(secretPattern)
          .max(100)
          .optional()
          .describe('What it may lease: paths, or folder/*. None when left out.'),
      }),
      output: answerOf({ child: z.string().describe('Its name.'), tier: tierSchema, until: z.string() }),
      async perform({ definition, role, under, task, input, tier, budget, minutes, secrets }) {
        const asked = {
          ...{ task, input, tier, secrets },
          limits: budget && limitsOf(budget),
          lifeMs: minutes === undefined ? undefined : Math.round(minutes * 60_000),
        };
        const team = teams.find(channel.team);
        const call = (): SpawnCall => {
          if (!team) {
            const wish = { definition: mustName(definition), role: role ?? roleOf(definition ?? ''), under };
            return { asker: seat, wish: merged(wish, asked) };
          }
          const { asker, wish } = teamed(team.called({ caller: seat, role: role ?? '', under }), definition);
          return { asker, wish: merged(wish, asked), began: team.began };
        };
        const spawned = await children.spawn(call, seat);
        if (spawned.verdict !== 'allow') return notAllowed(spawned);
        const { name, until, tier: at } = spawned.child;
        return { verdict: 'allow' as const, intent: spawned.id, child: name, tier: at, until: isoTime(until) };
      },
    }),
    defineOperation({
      name: 'children',
      description: 'The agents that work under you, and what has become of each.',
      input: z.strictObject({}),
      output: z.strictObject({
        children: z.array(
          z.strictObject({
            name: z.string(),
            role: z.string(),
            tier: tierSchema,
            state: stateSchema,
            end: z.string().optional(),
            until: z.string(),
          }),
        ),
      }),
      async perform() {
        const shown = children.under(channel).map((child) => {
          const end = child.ended()?.end;
          const state = end === undefined ? ('running' as const) : ('ended' as const);
          const { name, role, tier, until } = child;
          return { name, role, tier, state, ...(end === undefined ? {} : { end }), until: isoTime(until) };
        });
        return { children: shown };
      },
    }),
    defineOperation({
      name: 'await',
      description: 'Wait until an agent that works under you has ended, and get what it answered.',
      input: z.strictObject({
        child: nameSchema,
        timeoutMs: z.int().min(0).max(50_000).default(25_000).describe('Then the answer is "running": wait again.'),
      }),
      output: z.strictObject({ state: stateSchema, result: endSchema.optional() }),
      async perform({ child: name, timeoutMs }, signal) {
        const child = own(name);
        const over = new AbortController();
        const due = env.sleep(timeoutMs, AbortSignal.any([signal, over.signal])).catch(() => undefined);
        await Promise.race([child.end, due]);
        over.abort();
        const ended = child.ended();
        if (!ended) return { state: 'running' as const };
        return { state: 'ended' as const, result: { ...ended, text: ended.text.slice(0, mostText) } };
      },
    }),
    defineOperation({
      name: 'stop',
      description: 'Stop an agent that works under you, and all below it.',
      input: z.strictObject({ child: nameSchema }),
      output: z.strictObject({ end: z.string() }),
      async perform({ child: name }) {
        const child = own(name);
        child.stop(`"${channel.agent}", which it works for, stopped it.`);
        return { end: (await child.end).end };
      },
    }),
  ];
}

type Teamed = ReturnType<NonNullable<ReturnType<LiveTeams['find']>>['called']>;

function teamed({ asker, wish }: Teamed, definition: string | undefined): Teamed {
  if (definition === undefined) return { asker, wish };
  return { asker, wish: { ...wish, refused: 'A team starts the roles that it declares, and nothing else.' } };
}

/** What is asked for may be less than what the role is handed; that it is no more is looked at where it is decided. */
function merged(
  wish: Teamed['wish'],
  asked: Pick<ChildWish, 'task' | 'input' | 'tier' | 'limits' | 'lifeMs' | 'secrets'>,
): ChildWish {
  const { task, input, tier, limits, lifeMs, secrets } = asked;
  return {
    ...wish,
    ...{ task, input },
    tier: tier ?? wish.tier,
    limits: limits ?? wish.limits,
    lifeMs: lifeMs ?? wish.lifeMs,
    secrets: secrets ?? wish.secrets,
  };
}

function mustName(definition: string | undefined): string {
  if (definition !== undefined) return definition;
  throw new AgovError('INPUT_INVALID', {
    what: 'spawn takes a definition.',
    why: 'You work in no team that declares roles.',
  });
}
