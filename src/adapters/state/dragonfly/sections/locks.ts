/**
 * Locks with an end and a fencing token, both by the server's clock. A token is the greater of the last one plus one and
 * the clock's microseconds: so it grows even where the last one is forgotten, by FLUSHALL or with a snapshot that was
 * lost, as nobody grants a million locks a second. It does not hold where the server's clock goes back over the time of
 * the forgotten grants in the same accident, as on a replacement whose clock is behind.
 */
import { z } from 'zod';
import { boundedInt, boundedName, boundedTtl } from '../../bounds.ts';
import type { HeldLock, LockHolder, Locks } from '../../port.ts';
import { type Scripts, script, wholeText, yesNo } from '../script.ts';

const grant = z.union([
  z.null().transform(() => undefined),
  z.tuple([wholeText, wholeText]).transform(([token, expiresAt]) => ({ token, expiresAt })),
]);
const holding = z.union([
  z.null().transform(() => undefined),
  z
    .tuple([z.string(), wholeText, wholeText])
    .transform(([owner, token, expiresAt]): LockHolder => ({ owner, token, expiresAt })),
]);

/** `till` and `token` of the grant that holds now, or nothing. The key's own end only sweeps up. */
const current = `
  local now = math.floor(clock() / 1000)
  local row = redis.call('HMGET', KEYS[1], 'till', 'token', 'owner')
  local till, token = whole(row[1]), whole(row[2])
  if not till or not token then return corrupt('the lock ' .. KEYS[1] .. ' holds no number; remove the key with DEL') end
  if till <= now then token = nil end
`;

const acquire = script(
  'lock.acquire',
  grant,
  `${current}
  if token then return false end
  local last = whole(redis.call('GET', KEYS[2]))
  if not last then return corrupt('the last fencing token in ' .. KEYS[2] .. ' is no number; remove the key with DEL') end
  token, till = later(last), now + tonumber(ARGV[2])
  redis.call('SET', KEYS[2], text(token))
  redis.call('HSET', KEYS[1], 'till', text(till), 'token', text(token), 'owner', ARGV[1])
  redis.call('PEXPIREAT', KEYS[1], text(till))
  for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', text(now), 'LIMIT', 0, 10)) do
    redis.call('ZREM', KEYS[3], over)
  end
  redis.call('ZADD', KEYS[3], text(till), ARGV[3])
  return {text(token), text(till)}
`,
);

const renew = script(
  'lock.renew',
  yesNo,
  `${current}
  if token ~= tonumber(ARGV[1]) then return 0 end
  till = now + tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], 'till', text(till))
  redis.call('PEXPIREAT', KEYS[1], text(till))
  redis.call('ZADD', KEYS[2], text(till), ARGV[3])
  return 1
`,
  'again',
);

const release = script(
  'lock.release',
  yesNo,
  `${current}
  if token ~= tonumber(ARGV[1]) then return 0 end
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[2])
  return 1
`,
);

const holder = script(
  'lock.holder',
  holding,
  `${current}
  if not token then return false end
  return {row[3] or '', text(token), text(till)}
`,
  'again',
);

/** The index only says where to look: whether a lock is held is its own key's to say. */
const held = script(
  'lock.held',
  z.array(z.string()),
  `return redis.call('ZRANGEBYSCORE', KEYS[1], text(math.floor(clock() / 1000)), '+inf')`,
  'again',
);

export const lockScripts = [acquire, renew, release, holder, held];

export function locks(scripts: Scripts, prefix: string): Locks {
  const key = (name: string): string => `${prefix}lock:${boundedName('lock name', name)}`;
  const index = `${prefix}locks`;
  const holderOf = (name: string): Promise<LockHolder | undefined> => scripts.run(holder, [key(name)]);

  return {
    async acquire(name, owner, ttlMs) {
      boundedName('lock owner', owner);
      return scripts.run(acquire, [key(name), `${prefix}fence`, index], owner, boundedTtl(ttlMs), name);
    },
    async renew(name, token, ttlMs) {
      return scripts.run(renew, [key(name), index], boundedInt('fencing token', token, 0), boundedTtl(ttlMs), name);
    },
    async release(name, token) {
      return scripts.run(release, [key(name), index], boundedInt('fencing token', token, 0), name);
    },
    holder: async (name) => holderOf(name),
    async held() {
      const names = (await scripts.run(held, [index])).sort();
      const found = await Promise.all(
        names.map(async (name): Promise<HeldLock | undefined> => {
          const now = await holderOf(name);
          return now && { name, ...now };
        }),
      );
      return found.filter((lock) => lock !== undefined);
    },
  };
}
