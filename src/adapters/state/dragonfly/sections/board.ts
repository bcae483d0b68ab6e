/**
 * The shared board: one hash of `version:json`, and a sorted set of the keys that exist, for listing by prefix. What is
 * removed keeps its version with nothing behind it, so that versions go on and never repeat.
 */
import { z } from 'zod';
import { boundedInt, boundedJson, boundedName, boundedPrefix } from '../../bounds.ts';
import type { Board, BoardItem } from '../../port.ts';
import { storedJson } from '../../stored-json.ts';
import { type Scripts, script, wholeText, yesNo } from '../script.ts';

const rowText = z
  .string()
  .transform((row) => {
    const colon = row.indexOf(':');
    return { version: row.slice(0, colon), value: row.slice(colon + 1) };
  })
  .pipe(z.strictObject({ version: wholeText.pipe(z.int().min(1)), value: storedJson }));

const row = `
  local version, stored = 0, ''
  local row = redis.call('HGET', KEYS[1], ARGV[1])
  if row then
    version, stored = string.match(row, '^(%d+):(.*)$')
    version = version and tonumber(version)
    if not version then return corrupt('the board item ' .. ARGV[1] .. ' has no version') end
  end
`;

const get = script(
  'board.get',
  rowText.nullable(),
  `${row}
  if stored == '' then return false end
  return row
`,
  'again',
);

const set = script(
  'board.set',
  wholeText,
  `${row}
  local expected = tonumber(ARGV[2])
  if expected == 0 and stored ~= '' then return '0' end
  if expected > 0 and (stored == '' or version ~= expected) then return '0' end
  redis.call('HSET', KEYS[1], ARGV[1], text(version + 1) .. ':' .. ARGV[3])
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
  return text(version + 1)
`,
);

const remove = script(
  'board.remove',
  yesNo,
  `${row}
  if stored == '' or version ~= tonumber(ARGV[2]) then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], text(version) .. ':')
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 1
`,
);

/** Members of one score sort by their bytes, and no UTF-8 text holds the byte 255. */
const list = script(
  'board.list',
  z.array(z.tuple([z.string(), rowText])),
  `
  local from, to = '-', '+'
  if ARGV[1] ~= '' then from, to = '[' .. ARGV[1], '(' .. ARGV[1] .. '\\255' end
  local found = {}
  for _, key in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], from, to)) do
    found[#found + 1] = {key, redis.call('HGET', KEYS[1], key)}
  end
  return found
`,
  'again',
);

export const boardScripts = [get, set, remove, list];

export function board(scripts: Scripts, prefix: string): Board {
  const keys = [`${prefix}board`, `${prefix}board:keys`];

  return {
    async get(key) {
      const found = await scripts.run(get, keys.slice(0, 1), boundedName('board key', key));
      return found === null ? undefined : { key, ...found };
    },
    async set(key, value, expected) {
      boundedName('board key', key);
      boundedInt('expected version', expected, 0);
      const text = boundedJson('board value', value);
      const version = await scripts.run(set, keys, key, expected, text);
      return version === 0 ? undefined : { key, value: JSON.parse(text), version };
    },
    async remove(key, expected) {
      boundedName('board key', key);
      return scripts.run(remove, keys, key, boundedInt('expected version', expected, 0));
    },
    async list(prefixOfKeys) {
      const found = await scripts.run(list, keys, boundedPrefix('board prefix', prefixOfKeys));
      return found.map(([key, item]): BoardItem => ({ key, ...item }));
    },
  };
}
