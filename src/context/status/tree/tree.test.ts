/** A walk sees what is there and follows nothing out of it; what it kept of the last one changes nothing but the time. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fakeEnv } from '../../../../test/support/fake-env.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { readCache, type SeenByPath, writeCache } from './cache.ts';
import { rulesOf, walk } from './index.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'agov-tree-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string | Buffer): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const good = '---\nphase: review\n---\n';
/** So long after that everything is settled. */
const later = () => fakeEnv({ now: systemEnv().now() + 60_000 });
const look = (before: SeenByPath = new Map(), ignored: readonly string[] = [], env = later()) =>
  walk({ root, rules: rulesOf(ignored), before, env });
const paths = async (ignored: readonly string[] = []) =>
  (await look(new Map(), ignored)).directories.map(({ path }) => path);

it('passes over what git passes over, and what is configured', async () => {
  for (const path of [
    'src/dist',
    'dist',
    'a/build/x',
    'a/keep',
    'b/keep/deep',
    '.git/x',
    '.agov/y',
    'n/node_modules/z',
    'w',
  ]) {
    mkdirSync(join(root, path), { recursive: true });
  }
  put('.gitignore', 'dist/\nbuild\n/w\nkeep/\n[z-a]\n\\\n');
  put('b/.gitignore', '!keep/\n');
  expect(await paths(['node_modules/', 'src/d*'])).toEqual(['', 'a', 'b', 'b/keep', 'b/keep/deep', 'n', 'src']);
  execFileSync('git', ['init', '-q', root]);
  for (const path of ['a', 'b/keep', 'b/keep/deep', 'src/dist', 'a/keep', 'w']) {
    put(`${path}/file`, '');
    let ignored = true;
    try {
      execFileSync('git', ['-C', root, 'check-ignore', '-q', `${path}/file`]);
    } catch {
      ignored = false;
    }
    expect((await paths()).includes(path), path).toBe(!ignored);
  }
});

it('is not held up by a line that would take for ever', async () => {
  put('.gitignore', `${'*a'.repeat(200)}b\n`);
  mkdirSync(join(root, 'a'.repeat(200)));
  expect(await paths()).toHaveLength(2);
});

it('follows no link, neither round and round nor out', async () => {
  put('a/STATUS.md', good);
  symlinkSync('..', join(root, 'a/up'));
  symlinkSync('/etc', join(root, 'etc'));
  symlinkSync('a/STATUS.md', join(root, 'STATUS.md'));
  mkdirSync(join(root, 'b/STATUS.md'), { recursive: true });
  const { directories } = await look();
  expect(directories.map(({ path, faults }) => [path, faults?.[0]?.message])).toEqual([
    ['', 'It is a link. A status is a file of its own, so that no link leads out of here.'],
    ['a', undefined],
    ['b', 'It is not a file.'],
    ['b/STATUS.md', undefined],
  ]);
});

it('tells of files that are no statuses, and goes on', async () => {
  put('a/STATUS.md', Buffer.from([1, 0, 2]));
  put('b/STATUS.md', Buffer.from([0x2d, 0xff]));
  put('c/STATUS.md', `---\nphase: review\nx: "${'y'.repeat(70_000)}"\n---\n`);
  put('d/STATUS.md', `${good}${'ä'.repeat(5_000_000)}`);
  mkdirSync(join(root, 'e'));
  execFileSync('mkfifo', [join(root, 'e/STATUS.md')]);
  const { directories } = await look();
  expect(directories.slice(1).map(({ faults, status }) => faults?.[0]?.message ?? status?.phase)).toEqual([
    'It is not text.',
    'It is not valid UTF-8.',
    'The front matter must end within the first 65536 bytes.',
    'review',
    'It is not a file.',
  ]);
});

it.skipIf(process.getuid?.() === 0)('tells of a directory that is closed to it, and goes on', async () => {
  put('a/b/STATUS.md', good);
  put('c/STATUS.md', good);
  chmodSync(join(root, 'a'), 0o000);
  const { directories } = await look();
  chmodSync(join(root, 'a'), 0o700);
  expect(directories.map(({ path, unreadable }) => [path, unreadable !== undefined])).toEqual([
    ['', false],
    ['a', true],
    ['c', false],
  ]);
});

it('finds the same with what it kept as without, whatever changed in between', async () => {
  put('a/STATUS.md', good);
  put('b/c/STATUS.md', good);
  put('b/d/STATUS.md', good);
  put('e/f', '');
  const first = await look();
  const same = await look(first.seen);
  expect(same).toMatchObject({ changed: false, directories: first.directories });
  const changes: readonly (() => void)[] = [
    () => writeFileSync(join(root, 'a/STATUS.md'), good.replace('review', 'blocked')),
    // As long as before, and with its old time put back.
    () => {
      const { atime, mtime } = statSync(join(root, 'a/STATUS.md'));
      writeFileSync(join(root, 'a/STATUS.md'), good.replace('review', 'reviex'));
      utimesSync(join(root, 'a/STATUS.md'), atime, mtime);
    },
    () => rmSync(join(root, 'b/c/STATUS.md')),
    () => put('e/STATUS.md', good),
    () => put('.gitignore', 'b/\n'),
    () => rmSync(join(root, '.gitignore')),
    () => renameSync(join(root, 'b'), join(root, 'g')),
    () => symlinkSync('/', join(root, 'z')),
  ];
  let { seen } = first;
  for (const [i, change] of changes.entries()) {
    change();
    const kept = await look(seen);
    expect(kept.directories, String(i)).toEqual((await look()).directories);
    ({ seen } = kept);
  }
});

it('does not believe what changed just now, or in the future of a clock that was set back', async () => {
  put('a/STATUS.md', good);
  for (const back of [0, 86_400_000]) {
    const { seen } = await look(new Map(), [], fakeEnv({ now: systemEnv().now() - back }));
    expect([...seen.keys()]).toEqual([]);
  }
});

it('reads nothing from a cache that is damaged, missing or somebody else’s', async () => {
  put('a/STATUS.md', good);
  const path = join(root, 'cache');
  const { seen } = await look();
  writeCache(path, seen, 'mark');
  expect(readCache(path)).toEqual(seen);
  const text = readFileSync(path, 'utf8');
  for (const bad of ['', 'x', text.slice(0, -1), text.replace('review', 'blocked'), text.replace('1 ', '2 ')]) {
    writeFileSync(path, bad);
    expect(readCache(path).size, bad).toBe(0);
  }
  expect(readCache(join(root, 'none')).size).toBe(0);
  writeCache(join(root, 'none/cache'), seen, 'mark');
  expect(existsSync(join(root, 'none'))).toBe(false);
});
