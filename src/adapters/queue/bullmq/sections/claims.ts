/**
 * Claims: one hash a job, with its holder, the end of the holder's lease by the server's clock, and the result. What was
 * done leaves its holder behind for as long as a copy of the job could still be taken.
 */
import { z } from 'zod';
import { AgovError, type Env } from '../../../../kernel/index.ts';
import type { Claim, Claims } from '../../port.ts';
import { type Server, script } from '../connection.ts';

/** Two keys a job: its claim, and the queue's own record of it. */
const read = `
local function claimOf(key, queued)
  local row = redis.call('HMGET', key, 'holder', 'till', 'fenced', 'result', 'remark')
  local left = row[2] and math.max(0, tonumber(row[2]) - now()) or 0
  return {row[1] or '', text(left), row[3] and 1 or 0, row[4] or '', redis.call('EXISTS', queued), row[5] or ''}
end
`;

const claim = script(`
  local row = redis.call('HMGET', KEYS[1], 'holder', 'fenced')
  if row[2] or (row[1] and row[1] ~= ARGV[1]) then return 0 end
  redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'till', text(now() + tonumber(ARGV[2])))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1
`);

/** 0: held on; 1: lost; 2: cancelled. A lease that has ended and that nobody has fenced goes on. */
const renew = script(`
  local answers = {}
  for i, key in ipairs(KEYS) do
    local row = redis.call('HMGET', key, 'holder', 'fenced', 'cancel', 'result')
    if row[1] ~= ARGV[i + 1] or row[2] then answers[i] = 1
    else
      if not row[4] then redis.call('HSET', key, 'till', text(now() + tonumber(ARGV[1]))) end
      answers[i] = row[3] and 2 or 0
    end
  end
  return answers
`);

const finish = script(`
  local row = redis.call('HMGET', KEYS[1], 'holder', 'fenced')
  if row[1] ~= ARGV[1] or row[2] then return 0 end
  redis.call('HSET', KEYS[1], 'result', ARGV[3])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', '1000', '*', 'id', ARGV[2], 'result', ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
  return 1
`);

const look = script(`${read}
  local found = {}
  for i = 1, #KEYS, 2 do found[#found + 1] = claimOf(KEYS[i], KEYS[i + 1]) end
  return found
`);

const bar = `
local function bar()
  redis.call('HSET', KEYS[1], 'fenced', '1')
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
`;

const fence = script(`${read}${bar}
  local found = claimOf(KEYS[1], KEYS[2])
  if found[4] == (ARGV[2] or '') and tonumber(found[2]) == 0 then bar() end
  return claimOf(KEYS[1], KEYS[2])
`);

const cancel = script(`${read}${bar}
  local found = claimOf(KEYS[1], KEYS[2])
  if found[4] == '' then
    if found[1] == '' then bar() else redis.call('HSET', KEYS[1], 'cancel', '1') end
  end
  return claimOf(KEYS[1], KEYS[2])
`);

const remark = script(`
  redis.call('HSET', KEYS[1], 'remark', ARGV[1])
  if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return 1
`);

const settle = script(`
  for _, key in ipairs(KEYS) do redis.call('HDEL', key, 'result') end
  return 1
`);

const claimRow = z
  .tuple([z.string(), z.coerce.number(), z.number(), z.string(), z.number(), z.string()])
  .transform(([holder, leftMs, fenced, result, queued, said]): Claim => {
    const told = { leftMs, fenced: fenced === 1, queued: queued === 1, remark: said || undefined };
    return { ...told, holder: holder || undefined, result: result || undefined };
  });
const batch = z.tuple([z.tuple([z.string(), z.array(z.tuple([z.string(), z.array(z.string())]))])]);

const waitMs = 2000;
const pauseMs = 200;
const streamMs = 86_400_000;
const remarkMs = 3_600_000;
/** Of one call: a server is held up by a script for as long as it takes. */
const mostAtOnce = 500;

export interface ClaimKeys {
  readonly prefix: string;
  /** The queue's own record of a job. */
  queued(id: string): string;
}

export function claimsOn(server: Server, { prefix, queued }: ClaimKeys, env: Env): Claims {
  const keyOf = (id: string): string => `${prefix}:claim:${id}`;
  const both = (id: string): string[] => [keyOf(id), queued(id)];
  const stream = (run: string): string => `${prefix}:results:${run}`;
  const one = async (asked: typeof fence, id: string, keepMs: number, result = ''): Promise<Claim> =>
    parsed(claimRow, await server.run(asked, both(id), [keepMs, result]));

  return {
    async claim(id, holder, { leaseMs, keepMs }) {
      return (await server.run(claim, [keyOf(id)], [holder, leaseMs, keepMs])) === 1;
    },
    async renew(claims, leaseMs) {
      const answers: number[] = [];
      for (const part of parts(claims)) {
        const keys = part.map(({ id }) => keyOf(id));
        const holders = part.map(({ holder }) => holder);
        answers.push(...parsed(z.array(z.number()), await server.run(renew, keys, [leaseMs, ...holders])));
      }
      const those = (answer: number) => claims.filter((_, i) => answers[i] === answer).map(({ id }) => id);
      return { lost: those(1), cancelled: those(2) };
    },
    async finish({ id, run }, holder, result) {
      return (await server.run(finish, [keyOf(id), stream(run)], [holder, id, result, streamMs])) === 1;
    },
    async look(ids) {
      const found: Claim[] = [];
      for (const part of parts(ids))
        found.push(...parsed(z.array(claimRow), await server.run(look, part.flatMap(both), [])));
      return found;
    },
    fence: (id, keepMs, disregarded) => one(fence, id, keepMs, disregarded),
    cancel: (id, keepMs) => one(cancel, id, keepMs),
    async remark(id, text) {
      await server.run(remark, [keyOf(id)], [text.slice(0, 1000), remarkMs]);
    },
    async settle(ids) {
      for (const part of parts(ids)) await server.run(settle, part.map(keyOf), []);
    },
    async *results(run, signal) {
      const redis = server.connect();
      const end = (): void => redis.disconnect();
      signal.addEventListener('abort', end, { once: true });
      try {
        for (let after = '0'; !signal.aborted; ) {
          const answer = await redis
            .call('XREAD', 'COUNT', 200, 'BLOCK', waitMs, 'STREAMS', stream(run), after)
            // Away or starting: what is missed here is found by whoever looks.
            .catch(() => env.sleep(pauseMs, signal).catch(() => undefined));
          const rows = batch.safeParse(answer).data?.[0][1] ?? [];
          for (const [at, [, id = '', , result = '']] of rows) {
            after = at;
            yield { id, result };
          }
        }
      } finally {
        signal.removeEventListener('abort', end);
        end();
      }
    },
  };
}

function* parts<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < all.length; from += mostAtOnce) yield all.slice(from, from + mostAtOnce);
}

function parsed<T>(schema: z.ZodType<T>, reply: unknown): T {
  const read = schema.safeParse(reply);
  if (read.success) return read.data;
  throw new AgovError('STATE_CORRUPT', {
    what: 'The state server answers about a job with what is no claim.',
    fix: 'See "agov doctor".',
  });
}
