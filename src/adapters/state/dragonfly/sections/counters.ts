/** Counters with a limit, compared and written in one script, so that no two processes pass it together. */
import { z } from 'zod';
import { boundedInt, boundedName, invalid } from '../../bounds.ts';
import type { Counters } from '../../port.ts';
import { done, type Scripts, script, wholeText } from '../script.ts';

const least = Number.MIN_SAFE_INTEGER;
const verdict = z.tuple([z.enum(['added', 'limit', 'unsafe']), wholeText]);

const value = `
  local value = whole(redis.call('HGET', KEYS[1], ARGV[1]))
  if not value then return corrupt('the counter ' .. ARGV[1] .. ' holds no number') end
`;

const add = script(
  'counter.add',
  verdict,
  `${value}
  local sum = value + tonumber(ARGV[2])
  if ARGV[3] ~= '' and sum > tonumber(ARGV[3]) then return {'limit', text(value)} end
  if math.abs(sum) > 9007199254740991 then return {'unsafe', text(value)} end
  redis.call('HSET', KEYS[1], ARGV[1], text(sum))
  return {'added', text(sum)}
`,
);

const get = script('counter.get', wholeText, `${value} return text(value)`, 'again');

const reset = script('counter.reset', done, `redis.call('HDEL', KEYS[1], ARGV[1]) return 'done'`, 'again');

export const counterScripts = [add, get, reset];

export function counters(scripts: Scripts, prefix: string): Counters {
  const keys = [`${prefix}counters`];

  return {
    async add(name, amount, limit) {
      boundedName('counter name', name);
      boundedInt('amount', amount, least);
      if (limit !== undefined) boundedInt('limit', limit, least);
      const [answer, found] = await scripts.run(add, keys, name, amount, limit ?? '');
      if (answer === 'unsafe') {
        throw invalid(
          `The counter "${name}" has ${found}, and ${amount} more would be no safe integer.`,
          'Keep it to safe integers, or reset it.',
        );
      }
      return { value: found, accepted: answer === 'added' };
    },
    async get(name) {
      return scripts.run(get, keys, boundedName('counter name', name));
    },
    async reset(name) {
      return scripts.run(reset, keys, boundedName('counter name', name));
    },
  };
}
