/** The command line of `agov act`, taken apart. */
import { AgentError } from '../transport.ts';
import type { Json } from '../types.ts';

export interface ActLine {
  /** `whoami`, `board`, …, or the name of a tool. */
  readonly word: string;
  readonly words: readonly string[];
  /** What came after `--`. */
  readonly command: readonly string[] | undefined;
  readonly json: boolean;
  readonly pairs: readonly string[];
  readonly jsonArgs: string | undefined;
  readonly cwd: string | undefined;
  readonly space: string | undefined;
  readonly expected: number | undefined;
  readonly secrets: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs: number | undefined;
  readonly ttlMs: number;
  readonly waitMs: number;
}

const valued = ['arg', 'json-args', 'cwd', 'space', 'expected', 'secret', 'timeout', 'ttl', 'wait'] as const;
type Valued = (typeof valued)[number];

/** @throws AgentError USAGE */
export function parseLine(argv: readonly string[]): ActLine {
  const end = argv.indexOf('--');
  const before = end < 0 ? argv : argv.slice(0, end);
  const words: string[] = [];
  const given = new Map<Valued, string[]>();
  let json = false;
  for (let i = 0; i < before.length; i++) {
    const one = before[i] ?? '';
    const [, name, inline] = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(one) ?? [];
    const option = valued.find((known) => known === name);
    if (one === '--json') json = true;
    else if (option !== undefined) {
      const value = inline ?? before[++i];
      if (value === undefined) throw usage(`--${option} needs a value.`);
      given.set(option, [...(given.get(option) ?? []), value]);
    } else if (one.startsWith('--')) throw usage(`There is no option ${one}.`);
    else words.push(one);
  }
  const [word, ...rest] = words;
  if (word === undefined) throw usage('Nothing was asked.');
  const last = (option: Valued): string | undefined => given.get(option)?.at(-1);
  const [timeout, expected, secrets] = [last('timeout'), last('expected'), given.get('secret')];
  return {
    ...{ word, words: rest, json, pairs: given.get('arg') ?? [], jsonArgs: last('json-args') },
    ...{ cwd: last('cwd'), space: last('space') },
    command: end < 0 ? undefined : argv.slice(end + 1),
    expected: expected === undefined ? undefined : wholeNumber(expected),
    secrets: secrets && Object.fromEntries(secrets.map((pair) => pairOf(pair, '='))),
    timeoutMs: timeout === undefined ? undefined : duration(timeout),
    ttlMs: duration(last('ttl') ?? '60s'),
    waitMs: duration(last('wait') ?? '0s'),
  };
}

/** `--arg key=text`, `--arg key:=json`; a key that comes twice is a list. @throws AgentError USAGE */
export function readArguments({ pairs, jsonArgs }: ActLine): Json {
  const args = new Map<string, Json>(Object.entries(jsonArgs === undefined ? {} : (parse(jsonArgs) as object)));
  const seen = new Set<string>();
  for (const pair of pairs) {
    const typed = /^[^=:]+:=/.test(pair);
    const [key, text] = pairOf(pair, typed ? ':=' : '=');
    const value = typed ? parse(text) : text;
    const before = args.get(key);
    args.set(key, seen.has(key) && before !== undefined ? [before, value].flat() : value);
    seen.add(key);
  }
  return Object.fromEntries(args);
}

/** @throws AgentError USAGE */
export function required(command: readonly string[] | undefined, form: string): readonly [string, ...string[]] {
  const [program, ...args] = command ?? [];
  if (program === undefined) throw usage(`No command was given. Write: agov act ${form}`);
  return [program, ...args];
}

function pairOf(pair: string, by: string): readonly [string, string] {
  const at = pair.indexOf(by);
  if (at < 1) throw usage(`"${pair}" is no pair: write NAME${by}VALUE.`);
  return [pair.slice(0, at), pair.slice(at + by.length)];
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`${text.slice(0, 80)} is not JSON.`);
  }
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usage(`"${text}" is no whole number.`);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = units[unit];
  if (count === undefined || ms === undefined) throw usage(`"${text}" is no duration: write 500ms, 30s, 15m or 2h.`);
  return Number(count) * ms;
}

function usage(what: string): AgentError {
  return new AgentError({ code: 'USAGE', what, fix: 'See "agov act help".' });
}
