/** What `agov act` makes of its words. */
import { describe, expect, it } from 'vitest';
import { runAct } from './act.ts';
import { parseLine, readArguments } from './line.ts';

it('takes options, words and a command apart', () => {
  expect(parseLine(['lock', 'db', '--wait=2m', '--json', '--ttl', '500ms', '--', 'ls', '--json'])).toMatchObject({
    ...{ word: 'lock', words: ['db'], json: true, waitMs: 120_000, ttlMs: 500, command: ['ls', '--json'] },
  });
});

it('reads arguments as texts, as JSON, and as lists', () => {
  const line = parseLine(
    ['git.commit', '--arg', 'message=a=b', '--arg', 'paths=x', '--arg', 'paths=y', '--arg', 'all:=true'].concat(
      '--json-args',
      '{"message":"other","n":1}',
    ),
  );
  expect(readArguments(line)).toEqual({ message: 'a=b', paths: ['x', 'y'], all: true, n: 1 });
});

it('makes no prototype of an argument', () => {
  const args = readArguments(parseLine(['fs.read', '--arg', '__proto__:={"x":1}']));
  expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

describe('a line that says nothing to do', () => {
  it.each([
    ['', 64],
    ['--frob', 64],
    ['exec', 64],
    ['board', 64],
    ['board set a', 64],
    ['lock', 64],
    ['lock db', 64],
    ['wait', 64],
    ['explain', 64],
    ['exec --timeout soon -- true', 64],
    ['exec --timeout', 64],
    ['board get a --expected -1', 64],
    ['fs.read --arg path', 64],
    ['fs.read --json-args {', 64],
    ['whoami', 69],
  ])('%s ends with %i', async (line, code) => {
    let told = '';
    const stderr = { write: (text: string) => (told += text) };
    const words = line.split(' ').filter(Boolean);
    const environment = { AGOV_SOCKET: '/nowhere/at-all' };
    expect(await runAct(words, { stdout: { write: () => true }, stderr, environment })).toBe(code);
    expect(told).toMatch(/^agov: .*\n {2}fix: /);
  });
});
