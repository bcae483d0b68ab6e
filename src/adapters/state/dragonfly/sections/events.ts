/**
 * Events of all processes in one order: a stream whose ids are the events' numbers, which grow as fencing tokens do
 * (locks.ts). The newest 10,000 or a few more are kept.
 */
import { z } from 'zod';
import type { Env, JsonObject } from '../../../../kernel/index.ts';
import { boundedInt, boundedJson, boundedName, invalid } from '../../bounds.ts';
import type { Events, StateEvent } from '../../port.ts';
import { storedJson } from '../../stored-json.ts';
import type { Faults } from '../connection/faults.ts';
import type { Link } from '../connection/link.ts';
import { type Scripts, script, wholeText } from '../script.ts';
import { type Batch, openTail } from './tail.ts';

const kept = 10_000;
const defaultRead = 1000;

const eventId = z
  .string()
  .regex(/^\d+-0$/)
  .transform((id) => id.slice(0, -2))
  .pipe(wholeText);
const eventBody = storedJson.refine(
  (body): body is JsonObject => typeof body === 'object' && body !== null && !Array.isArray(body),
);
const eventRow = z
  .tuple([eventId, z.tuple([z.literal('at'), wholeText, z.literal('topic'), z.string(), z.literal('body'), eventBody])])
  .transform(([seq, [, at, , topic, , body]]): StateEvent => ({ seq, at, topic, body }));

const newest = `
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  local last = 0
  if newest then last = whole(string.match(newest[1], '^(%d+)-0$') or 'none') end
  if not last then return corrupt('the stream of events holds an id that is none of ours') end
`;

const publish = script(
  'event.publish',
  wholeText,
  `${newest}
  local seq = later(last)
  local at = text(math.floor(clock() / 1000))
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ${kept}, text(seq) .. '-0', 'at', at, 'topic', ARGV[1], 'body', ARGV[2])
  return text(seq)
`,
);

const last = script('event.last', wholeText, `${newest} return text(last)`, 'again');

const read = script(
  'event.read',
  z.array(eventRow),
  `return redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])`,
  'again',
);

export const eventScripts = [publish, last, read];

export interface EventParts {
  readonly env: Env;
  readonly scripts: Scripts;
  readonly faults: Faults;
  readonly prefix: string;
  readonly deadlineMs: number;
  /** How long the server may be away before a follow ends with the reason. */
  readonly graceMs: number;
  /** A connection of its own, since what waits on it lets nothing else pass. */
  readonly waiting: Link;
}

/** `follow` without a number starts behind what was published before its call reached the server. */
export function events(parts: EventParts): Events & Disposable {
  const { scripts, prefix } = parts;
  const keys = [`${prefix}events`];
  const lastOf = (): Promise<number> => scripts.run(last, keys);
  const readAfter = (after: number, limit: number): Promise<readonly StateEvent[]> =>
    scripts.run(read, keys, `${after}-0`, limit);
  const tail = openTail({ ...parts, key: `${prefix}events`, eventRow, lastOf });

  return {
    async publish(topic, body) {
      boundedName('topic', topic);
      const text = boundedJson('event body', body);
      if (!text.startsWith('{')) throw invalid('The event body is not an object.', 'Wrap it in one.');
      return scripts.run(publish, keys, topic, text);
    },
    async read(after, limit = defaultRead) {
      return readAfter(boundedInt('event number', after, 0), boundedInt('limit', limit, 1, kept));
    },
    last: lastOf,
    follow(signal, after) {
      const start = after === undefined ? lastOf() : Promise.resolve(boundedInt('event number', after, 0));
      // Whoever never asks for an event never hears why there is none.
      start.catch(() => undefined);
      return follow(signal, start);
    },
    [Symbol.dispose]: () => tail[Symbol.dispose](),
  };

  async function* follow(signal: AbortSignal, start: Promise<number>): AsyncGenerator<StateEvent> {
    if (signal.aborted) return;
    let cursor = await start;
    using batches = tail.subscribe(signal);
    for (let batch: Batch | undefined = { from: Number.POSITIVE_INFINITY, events: [] }; batch; ) {
      // What lies between our cursor and the batch has not come by the tail.
      for (let missed = batch.from > cursor; missed; ) {
        const page = await batches.persist(() => readAfter(cursor, defaultRead));
        missed = page !== undefined && page.length > 0;
        for (const event of page ?? []) {
          if (signal.aborted) return;
          cursor = event.seq;
          yield event;
        }
      }
      for (const event of batch.events) {
        if (signal.aborted) return;
        if (event.seq <= cursor) continue;
        cursor = event.seq;
        yield event;
      }
      batch = await batches.next();
    }
  }
}
