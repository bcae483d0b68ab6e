/**
 * Lua scripts, the only way in which state is read and written. Each declares every key in KEYS (Dragonfly refuses
 * others), goes by the server's clock, and repeats a number of ours in its reply: an answer to another question, as
 * after garbage on the wire, is never taken for this one's.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Faults } from './connection/faults.ts';
import type { Link } from './connection/link.ts';

export interface Script<T> {
  readonly name: string;
  readonly lua: string;
  readonly sha: string;
  readonly commands: readonly string[];
  readonly reply: z.ZodType<T>;
  readonly again: boolean;
}

export interface Scripts {
  /** @throws AgovError STATE_UNAVAILABLE, STATE_CORRUPT */
  run<T>(script: Script<T>, keys: readonly string[], ...args: readonly (string | number)[]): Promise<T>;
}

/** Redis runs Lua 5.1, where all numbers are doubles, Dragonfly 5.4, where they are not: numbers travel as text. */
const prelude = `
local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function text(number) return string.format('%.0f', number) end
local function whole(stored)
  if not stored then return 0 end
  return string.match(stored, '^-?%d+$') and tonumber(stored)
end
local function corrupt(why) return redis.error_reply('AGOVCORRUPT ' .. why) end
local function later(last) return math.max(last + 1, clock()) end
`;

/** `again`: to run it twice is as good as once. The body returns one value, never nil. */
export function script<T>(name: string, reply: z.ZodType<T>, body: string, again?: 'again'): Script<T> {
  const lua = `${prelude}
local function main()${body}end
local answer = main()
if type(answer) == 'table' and answer.err then return answer end
return {ARGV[#ARGV], answer}`;
  const called = [...body.matchAll(/redis\.call\('([A-Z]+)'/g)].map((match) => match[1] ?? '');
  if (/clock\(|later\(/.test(body)) called.push('TIME');
  return {
    ...{ name, lua, reply },
    sha: createHash('sha1').update(lua).digest('hex'),
    commands: ['EVAL', 'EVALSHA', ...new Set(called)],
    again: again !== undefined,
  };
}

/** A whole number that travels as text. */
export const wholeText = z
  .string()
  .regex(/^-?\d{1,16}$/)
  .transform(Number)
  .refine(Number.isSafeInteger);
/** 1 for yes and 0 for no. */
export const yesNo = z.union([z.literal(0), z.literal(1)]).transform((answer) => answer === 1);
export const done = z.literal('done').transform(() => undefined);

const envelope = z.tuple([z.string(), z.unknown()]);

export function scriptsOn(link: Link, faults: Faults, deadlineMs: number): Scripts {
  let question = 0;

  return {
    async run(script, keys, ...args) {
      const { name, commands, again } = script;
      const mark = `q${++question}`;
      const accept = (reply: unknown) => {
        const opened = envelope.safeParse(reply);
        if (!opened.success || opened.data[0] !== mark) throw faults.notRedis();
        const parsed = script.reply.safeParse(opened.data[1]);
        if (parsed.success) return parsed.data;
        throw faults.corrupt(`What ${name} found does not have the shape it must have (${places(parsed.error)}).`);
      };
      const rest = [keys.length, ...keys, ...args, mark];
      const forms = [
        ['EVALSHA', script.sha, ...rest],
        ['EVAL', script.lua, ...rest],
      ] as const;
      return link.send({ name, commands, keys, again, deadlineMs, forms }, accept);
    },
  };
}

function places(error: z.ZodError): string {
  return error.issues.map((issue) => issue.path.join('.') || issue.code).join(', ');
}
