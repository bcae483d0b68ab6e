/** Who is there: a hash of workers as they describe themselves, and one of what they are ordered to do. */
import { z } from 'zod';
import type { Fleet, ListedWorker, Order } from '../../port.ts';
import { type Server, script } from '../connection.ts';

/** An order to one worker counts before that to all. */
const announce = script(`
  redis.call('HSET', KEYS[1], ARGV[1], text(now()) .. ' ' .. ARGV[2])
  return redis.call('HGET', KEYS[2], ARGV[1]) or redis.call('HGET', KEYS[2], '*') or 'go'
`);

const leave = script(`
  redis.call('HDEL', KEYS[1], ARGV[1])
  if redis.call('HGET', KEYS[2], ARGV[1]) == 'drain' then redis.call('HDEL', KEYS[2], ARGV[1]) end
  return 1
`);

const list = script(`
  return {text(now()), redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}
`);

const order = script(`
  if ARGV[1] == '*' then
    redis.call('DEL', KEYS[1])
    if ARGV[2] ~= 'go' then redis.call('HSET', KEYS[1], '*', ARGV[2]) end
  elseif ARGV[2] == 'go' and not redis.call('HGET', KEYS[1], '*') then redis.call('HDEL', KEYS[1], ARGV[1])
  else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
  return 1
`);

const forgetMs = 86_400_000;
const orderSchema = z.enum(['go', 'pause', 'drain']);
const recordSchema = z.strictObject({
  name: z.string(),
  host: z.string(),
  boot: z.string(),
  pid: z.int(),
  started: z.string(),
  version: z.string(),
  format: z.int(),
  key: z.string(),
  concurrency: z.int(),
  running: z.int(),
  since: z.number(),
});
const listSchema = z.tuple([z.coerce.number(), z.array(z.string()), z.array(z.string())]);

export function fleetOn(server: Server, prefix: string): Fleet {
  const keys = [`${prefix}:workers`, `${prefix}:orders`];
  return {
    async announce(record) {
      const told = await server.run(announce, keys, [record.name, JSON.stringify(record)]);
      return orderSchema.catch('pause').parse(told);
    },
    async leave(name) {
      await server.run(leave, keys, [name]);
    },
    async list() {
      const [now, rows, orders] = listSchema.parse(await server.run(list, keys, []));
      const ordered = new Map(pairs(orders));
      const found = [...pairs(rows)].flatMap(([name, row]): ListedWorker[] => {
        const at = row.indexOf(' ');
        const record = recordSchema.safeParse(asJson(row.slice(at + 1)));
        const silentMs = Math.max(0, now - Number(row.slice(0, at)));
        // Of another version, or written by nobody of ours: it says nothing that could be shown.
        if (!record.success || !(silentMs < forgetMs)) return [];
        const told = ordered.get(name) ?? ordered.get('*') ?? 'go';
        return [{ ...record.data, silentMs, order: orderSchema.catch('pause').parse(told) }];
      });
      return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async order(worker, what: Order) {
      await server.run(order, keys.slice(1), [worker === 'all' ? '*' : worker.name, what]);
    },
  };
}

function* pairs(flat: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i] ?? '', flat[i + 1] ?? ''];
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what is no JSON is no record, which is all that is asked
  }
}
