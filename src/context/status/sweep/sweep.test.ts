/** What a sweep finds in a real project with a real history, and what it mends. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeEnv, fakeEnv } from '../../../../test/support/fake-env.ts';
import { gitHistory } from '../../../adapters/history/git.ts';
import { idSource } from '../../../kernel/index.ts';
import { openStatus, type Status } from '../index.ts';
import { cycles } from './index.ts';

let root: string;
let env: FakeEnv;
let status: Status;
const config = { ignore: ['node_modules/'], track: {}, quiet: '14d' };
const open = (more: object = {}): Status =>
  openStatus({
    ...{ root, data: join(root, '.agov'), env, ids: idSource(env), history: gitHistory(process.env['PATH'] ?? '') },
    config: { ...config, ...more },
  });

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'agov-sweep-')));
  mkdirSync(join(root, '.agov'));
  env = fakeEnv({ now: Date.UTC(2026, 5, 1) });
  status = open();
  put('.gitignore', '.agov/\n');
  put('STATUS.md', '---\nphase: in-progress\n---\n');
});
afterEach(async () => {
  await status[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function git(at: string, ...args: readonly string[]): void {
  const date = { GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at };
  const who = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };
  execFileSync('git', ['-C', root, ...args], { env: { PATH: process.env['PATH'], ...date, ...who }, stdio: 'ignore' });
}

function commit(at: string, subject: string): void {
  git(at, 'add', '-A');
  git(at, 'commit', '-q', '-m', subject);
}

const said = (phase: string, more = ''): string => `---\nphase: ${phase}\n${more}---\n`;
const found = async (fix?: string, directory = root) =>
  (await status.sweep(directory, fix === undefined ? {} : { fix })).findings.map(
    ({ kind, severity, path, fixed }) => `${severity} ${kind} ${path}${fixed === undefined ? '' : ` ${fixed}`}`,
  );

it('asks every project for one status, and its directories for as many as they say', async () => {
  rmSync(join(root, 'STATUS.md'));
  for (const path of ['a/b/c/d', 'e/f', 'g', '.hidden/x']) mkdirSync(join(root, path), { recursive: true });
  expect(await found()).toEqual(['fault missing .']);
  put('STATUS.md', said('review', 'track: 1\n'));
  expect(await found()).toEqual(['fault missing a', 'fault missing e', 'fault missing g']);
  put('STATUS.md', said('review', 'track: true\n'));
  put('a/STATUS.md', said('review', 'track: 1\n'));
  put('g/STATUS.md', said('review', 'track: false\n'));
  mkdirSync(join(root, 'g/h'));
  expect(await found()).toEqual(['fault missing a/b', 'fault missing e', 'fault missing e/f']);
  expect(await found(undefined, join(root, 'e'))).toEqual(['fault missing e', 'fault missing e/f']);
  put('STATUS.md', said('review'));
  await status[Symbol.asyncDispose]();
  status = open({ track: { './e/': 1 } });
  expect(await found()).toEqual(['fault missing a/b', 'fault missing e/f']);
});

it('makes what is missing, mends no more than is safe, and finds nothing of it again', async () => {
  put('STATUS.md', said('review', 'track: 1\n'));
  put('words/STATUS.md', 'Only words.\n');
  put('wrong/STATUS.md', said('wip'));
  mkdirSync(join(root, 'new'));
  expect(await found('ada')).toEqual(['fault missing new made', 'fault malformed words made', 'fault malformed wrong']);
  expect(readFileSync(join(root, 'words/STATUS.md'), 'utf8')).toMatch(
    /^---\nphase: not-started\nupdated: \S+\n---\nOnly words.\n$/,
  );
  expect(readFileSync(join(root, 'wrong/STATUS.md'), 'utf8')).toBe(said('wip'));
  expect(await found('ada')).toEqual(['fault malformed wrong']);
});

it('finds what depends on something unfinished, gone, untold, or on itself', async () => {
  put('done/STATUS.md', said('complete'));
  put('half/STATUS.md', said('in-progress'));
  mkdirSync(join(root, 'bare'));
  put('a/STATUS.md', said('complete', 'depends: [done, /half/]\n'));
  put('b/STATUS.md', said('review', 'depends: [../half/STATUS.md, ../bare, gone]\n'));
  put('c/STATUS.md', said('not-started', 'depends: [half, ../../outside, ./.]\n'));
  put('r/1/STATUS.md', said('blocked', 'depends: [r/2]\n'));
  put('r/2/STATUS.md', said('blocked', 'depends: [r/3, done]\n'));
  put('r/3/STATUS.md', said('blocked', 'depends: [../1]\n'));
  const { findings } = await status.sweep(root, {});
  expect(findings.map(({ kind, severity, path, message }) => [kind, severity, path, message])).toEqual([
    ['unfinished', 'fault', 'a', 'It is complete and depends on /half/, which is in-progress.'],
    ['unfinished', 'warning', 'b', 'It is review and depends on ../half/STATUS.md, which is in-progress.'],
    ['untold', 'warning', 'b', 'It depends on ../bare, of which no status can be read.'],
    ['gone', 'fault', 'b', 'It depends on gone, and there is no such directory.'],
    ['gone', 'fault', 'c', 'It depends on ../../outside, which is outside of the project.'],
    ['cycle', 'fault', 'c', 'It depends on itself.'],
    ['cycle', 'fault', 'r/1', 'Each waits for the next: r/1 → r/2 → r/3 → r/1.'],
  ]);
  const { stuck, total } = await status.dashboard(root);
  expect(stuck.map(({ path, stuck: why }) => [path, why])).toEqual([
    ['b', 'waits for ../half/STATUS.md, ../bare, gone'],
    ['r/1', 'it waits for itself, by way of others'],
    ['r/2', 'it waits for itself, by way of others'],
    ['r/3', 'it waits for itself, by way of others'],
  ]);
  expect(total).toEqual({ done: 2, all: 9 });
});

it('walks a long chain of dependencies without end of its stack', () => {
  const chain = Array.from({ length: 50_000 }, (_, i) => ({
    ...{ path: `c${i}`, parent: undefined },
    status: { phase: 'blocked', tasks: [], depends: [`c${(i + 1) % 50_000}`] } as const,
  }));
  expect(cycles(chain).map((circle) => circle.length)).toEqual([50_000]);
});

it('finds what is older than what has changed in it, and nothing else', async () => {
  git('2026-01-01T00:00:00Z', 'init', '-q');
  const at = (day: string): string => said('in-progress', `updated: ${day}\n`);
  for (const path of ['old', 'day', 'with', 'deep', 'future', 'untold']) put(`${path}/code`, '1');
  for (const path of ['old', 'day', 'with', 'deep']) put(`${path}/STATUS.md`, at('2026-01-10'));
  put('deep/below/STATUS.md', at('2026-01-10T00:00:00Z'));
  put('future/STATUS.md', at('2031-01-01'));
  put('untold/STATUS.md', said('in-progress'));
  commit('2026-01-05T00:00:00Z', 'Begin');
  expect(await found()).toEqual(['warning ahead future']);
  put('day/code', '2');
  commit('2026-01-10T20:00:00Z', 'On the same day');
  put('old/a/b', '1');
  put('deep/below/x', '1');
  put('untold/code', '2');
  commit('2026-02-01T00:00:00Z', 'Later');
  put('with/code', '2');
  put('with/STATUS.md', `${at('2026-01-10')}Looked at.\n`);
  commit('2026-02-02T00:00:00Z', 'With its status');
  const { findings, unknown } = await status.sweep(root, {});
  expect(unknown).toEqual([]);
  expect(findings.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'stale deep/below',
    'ahead future',
    'stale old',
  ]);
  expect(findings[2]?.message).toMatch(/at 2026-01-10, before the change [0-9a-f]{10} of 2026-02-01T00:00, “Later”\.$/);
  const text = readFileSync(join(root, 'old/STATUS.md'), 'utf8');
  expect(await found('ada')).toContain('warning stale old brought up, with a note of the change');
  const mended = readFileSync(join(root, 'old/STATUS.md'), 'utf8');
  expect(mended).toMatch(
    /^---\nphase: in-progress\nupdated: 2026-06-01T00:00:00Z\n---\n## Notes\n\n- \S+ ada: .*“Later”.*\n$/,
  );
  expect(text).toBe(at('2026-01-10'));
  expect(await found()).toEqual(['warning ahead future']);
});

it('works without git, and says what it cannot know', async () => {
  const without = async () => (await status.sweep(root, {})).unknown;
  expect(await without()).toEqual(['What is stale is not known: There is no git repository.']);
  git('2026-01-01T00:00:00Z', 'init', '-q');
  expect(await without()).toEqual(['What is stale is not known: The git repository has no commit yet.']);
  const nowhere = openStatus({
    ...{ root, data: join(root, '.agov'), env, ids: idSource(env), config },
    history: gitHistory('/none'),
  });
  expect((await nowhere.sweep(root, {})).unknown).toEqual(['What is stale is not known: git is not installed.']);
});

it('lets no configuration of the repository run anything', async () => {
  git('2026-01-01T00:00:00Z', 'init', '-q');
  put('STATUS.md', said('review', 'updated: 2026-01-01\n'));
  commit('2026-01-01T00:00:00Z', 'Begin');
  put('prog', `#!/bin/sh\ntouch ${root}/ran\n`);
  execFileSync('chmod', ['+x', join(root, 'prog')]);
  for (const [key, value] of [
    ['core.fsmonitor', 'prog'],
    ['core.pager', 'prog'],
    ['gpg.program', 'prog'],
    ['log.showSignature', 'true'],
    ['diff.external', 'prog'],
  ] as const) {
    git('2026-01-01T00:00:00Z', 'config', key, value === 'prog' ? join(root, 'prog') : value);
  }
  put('.gitattributes', '* diff=x\n');
  git('2026-01-01T00:00:00Z', 'config', 'diff.x.textconv', join(root, 'prog'));
  await found();
  expect(() => readFileSync(join(root, 'ran'))).toThrow(/ENOENT/);
});
