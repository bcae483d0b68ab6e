/**
 * The board: small values under keys, for an agent to find again and for others to read. Each agent writes its own space;
 * what else it may write is a matter of policy. Keys are ASCII words with slashes between them, so that no spelling of
 * one space leads into another.
 */
import { z } from 'zod';
import type { BoardItem } from '../../../../adapters/state/port.ts';
import type { Effected } from '../../../../governance/governor/index.ts';
import { AgovError, canonicalJson, type Json, sha256Hex } from '../../../../kernel/index.ts';
import { jsonSchema, nameSchema } from '../../../../schemas/index.ts';
import { answerOf, defineOperation, notAllowed, type Operation, type Seat } from '../operation.ts';
import type { OperationParts } from '../parts.ts';

const word = '[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?';
const keySchema = z
  .string()
  .max(256)
  .regex(new RegExp(`^${word}(?:/${word}){0,7}$`), 'write up to 8 words of a-z 0-9 . _ - with / between')
  .refine((key) => !key.includes('..'), 'must not hold two dots in a row');
const spaceSchema = nameSchema
  .optional()
  .describe('Whose space; your own when left out. In a team, "team" is what its members share.');
const versionSchema = z.int().min(0);
const itemSchema = z.strictObject({ key: z.string(), value: jsonSchema, version: z.int() });

const mostItems = 1000;
const mostListed = 262_144;
const mostTries = 5;

/** Where the board's keys lie among all that the state store holds. */
const root = 'space/';

export function boardOperations(parts: OperationParts, { channel, parent }: Seat): readonly Operation[] {
  const { governor, artifacts, state } = parts;
  const { board, counters } = state;
  // No agent owns what begins with "team/", so that one of that name is not in the teams' way, nor they in its.
  const spaceOf = (named: string | undefined): string =>
    named === 'team' && channel.team !== undefined ? `team/${channel.team}` : (named ?? channel.agent);
  const placeOf = (key: string, space: string): string => `${space}/${key}`;
  const act = <T>(
    action: 'state.read' | 'state.write',
    resource: string,
    args: object,
    effect: () => Promise<Effected<T>>,
  ) => governor.act(channel, { action, resource, args: { ...args } }, effect, { parent });

  /** What is at `place` is taken over, whoever wrote it last, unless a version was named. */
  const write = async (place: string, space: string, value: Json, expected: number | undefined) => {
    for (let tries = 0; ; tries++) {
      const version = expected ?? (await board.get(root + place))?.version ?? 0;
      const count = version === 0 ? await counters.add(`board:${space}`, 1, mostItems) : undefined;
      if (count?.accepted === false) throw full(space);
      const written = await board.set(root + place, value, version);
      if (written) return written;
      if (count) await counters.add(`board:${space}`, -1);
      if (expected !== undefined || tries >= mostTries) return undefined;
    }
  };

  return [
    defineOperation({
      name: 'board.get',
      description: 'Read a value of the board.',
      input: z.strictObject({ key: keySchema, space: spaceSchema }),
      output: answerOf({ item: itemSchema.optional().describe('Left out when there is none.') }),
      async perform({ key, space: named }) {
        const space = spaceOf(named);
        const place = placeOf(key, space);
        const acted = await act('state.read', place, {}, async () => {
          const value = await board.get(root + place);
          return { value, outcome: { status: 'ok', facts: { version: value?.version ?? 0 } } };
        });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        const { id: intent, value: item } = acted;
        return {
          verdict: acted.verdict,
          intent,
          ...(item ? { item: { key, value: item.value, version: item.version } } : {}),
        };
      },
    }),
    defineOperation({
      name: 'board.set',
      description: 'Write a value of at most 65,536 bytes to the board, if the item still has the version you expect.',
      input: z.strictObject({
        key: keySchema,
        space: spaceSchema,
        value: jsonSchema,
        expected: versionSchema.optional().describe('0: only if there is none. Left out: whatever is there.'),
      }),
      output: answerOf({
        written: z.boolean().describe('False when it has another version by now.'),
        version: z.int().optional().describe('Its version after that.'),
      }),
      async perform({ key, space: named, value, expected }) {
        const space = spaceOf(named);
        const place = placeOf(key, space);
        const text = canonicalJson(value);
        const args = {
          sha256: sha256Hex(text),
          bytes: Buffer.byteLength(text),
          ...(expected === undefined ? {} : { expected }),
        };
        const acted = await act('state.write', place, args, async () => {
          const item = await write(place, space, value, expected);
          if (!item)
            return { value: item, outcome: { status: 'failed', reason: 'It has another version.', facts: {} } };
          const kept = [await artifacts.put('value.json', text)];
          return { value: item, outcome: { status: 'ok', facts: { version: item.version }, artifacts: kept } };
        });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        const { id: intent, value: item } = acted;
        return {
          verdict: acted.verdict,
          intent,
          written: item !== undefined,
          ...(item ? { version: item.version } : {}),
        };
      },
    }),
    defineOperation({
      name: 'board.remove',
      description: 'Remove a value of the board, if the item still has the version you expect.',
      input: z.strictObject({ key: keySchema, space: spaceSchema, expected: versionSchema.min(1) }),
      output: answerOf({ removed: z.boolean().describe('False when it has another version by now, or is not there.') }),
      async perform({ key, space: named, expected }) {
        const space = spaceOf(named);
        const place = placeOf(key, space);
        const acted = await act('state.write', place, { remove: true, expected }, async () => {
          const value = await board.remove(root + place, expected);
          if (value) await counters.add(`board:${space}`, -1);
          const reason = 'It has another version, or is not there.';
          return { value, outcome: value ? { status: 'ok', facts: {} } : { status: 'failed', reason, facts: {} } };
        });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        return { verdict: acted.verdict, intent: acted.id, removed: acted.value };
      },
    }),
    defineOperation({
      name: 'board.list',
      description: 'List the board: items by key, as many as fit into 262,144 bytes.',
      input: z.strictObject({
        prefix: z
          .union([keySchema, z.literal('')])
          .default('')
          .describe('Words that the keys begin with.'),
        space: spaceSchema,
        after: keySchema.optional().describe('Goes on after this key.'),
      }),
      output: answerOf({ items: z.array(itemSchema), more: z.boolean() }),
      async perform({ prefix, space: named, after }) {
        const space = spaceOf(named);
        const resource = prefix === '' ? space : placeOf(prefix, space);
        const acted = await act('state.read', resource, { list: true }, async () => {
          const listed = page(await board.list(`${root}${resource}/`), root.length + space.length + 1, after);
          return { value: listed, outcome: { status: 'ok', facts: { items: listed.items.length } } };
        });
        if (acted.verdict !== 'allow') return notAllowed(acted);
        return { verdict: acted.verdict, intent: acted.id, ...acted.value };
      },
    }),
  ];
}

function page(
  all: readonly BoardItem[],
  cut: number,
  after = '',
): { items: z.output<typeof itemSchema>[]; more: boolean } {
  const sorted = all
    .map(({ key, value, version }) => ({ key: key.slice(cut), value, version }))
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  let bytes = 0;
  const items = sorted.filter((item) => {
    bytes += Buffer.byteLength(JSON.stringify(item));
    return bytes <= mostListed;
  });
  return { items, more: items.length < sorted.length };
}

function full(space: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `The space "${space}" of the board is full.`,
    why: `It holds ${mostItems} items.`,
    fix: 'Remove some with board.remove.',
  });
}
