/** Checkouts that git keeps. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgovError } from '../../kernel/index.ts';
import type { Checkout, Checkouts, Compared } from './port.ts';
import { failed, type Git, gitIn, noFilters, type Ran } from './run.ts';
import { parseStatus } from './status.ts';

/** `path` is where programs are found. */
export function gitCheckouts(path: string): Checkouts {
  const git = gitIn(path);
  return {
    look: (folder, signal) => look(git, folder, signal),
    contents: (folder, names, most) => contents(git, folder, names, most),
    compare: (pairs, room) => compare(git, pairs, room),
    branchOut: (folder, wanted) => branchOut(git, folder, wanted),
  };
}

async function look(git: Git, folder: string, signal: AbortSignal | undefined): Promise<Checkout> {
  const where = await git(folder, ['rev-parse', '--show-prefix'], { signal });
  if (where.code !== 0) return { ok: false, why: whyNot(where) };
  const prefix = where.stdout.toString().replace(/\n$/, '');
  const settings = await noFilters(git, folder, signal);
  const asked = ['status', '--porcelain=v2', '-z', '--branch', '--untracked-files=all', '--ignore-submodules=all'];
  const status = await git(folder, [...asked, '--', '.'], { settings, signal });
  if (status.code !== 0) return { ok: false, why: whyNot(status) };
  const { commit, branch, changes } = parseStatus(status.stdout.toString('utf8'), prefix);
  const told = commit && (await git(folder, ['log', '-1', '--no-show-signature', '--format=%s', commit], { signal }));
  const subject = told ? told.stdout.toString().trim().slice(0, 200) : '';
  return {
    ok: true,
    ...(commit === undefined ? {} : { commit }),
    ...(subject === '' ? {} : { subject }),
    ...(branch === undefined ? {} : { branch }),
    changes,
  };
}

function whyNot({ code, stderr }: Ran): string {
  if (code === 127) return 'git is not installed.';
  if (/not a git repository/i.test(stderr)) return 'There is no git repository.';
  return `git does not say: ${stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? `it ended with ${code}`}`;
}

async function contents(
  git: Git,
  folder: string,
  names: readonly string[],
  most: number,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  if (names.length === 0) return found;
  const sizes = await git(folder, ['cat-file', '--batch-check'], { input: `${names.join('\n')}\n` });
  if (sizes.code !== 0) throw failed('git does not tell its contents.', sizes);
  const small = sizes.stdout
    .toString()
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, type, size]) => type === 'blob' && Number(size) <= most)
    .map(([name = '']) => name);
  if (small.length === 0) return found;
  const all = await git(folder, ['cat-file', '--batch'], { input: `${small.join('\n')}\n` });
  if (all.code !== 0) throw failed('git does not tell its contents.', all);
  for (let at = 0; at < all.stdout.length; ) {
    const end = all.stdout.indexOf(10, at);
    const [name = '', , size = ''] = all.stdout.toString('latin1', at, end).split(' ');
    found.set(name, all.stdout.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return found;
}

/** In a room of its own where no repository is found, so that no attribute or setting of one counts. */
async function compare(git: Git, pairs: readonly Compared[], room: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(room, '.compare-'));
  try {
    for (const side of ['a', 'b'] as const) {
      await mkdir(join(folder, side));
      for (const [i, { before, after }] of pairs.entries()) {
        const bytes = side === 'a' ? before : after;
        if (bytes) await writeFile(join(folder, side, String(i)), bytes, { mode: 0o600 });
      }
    }
    const environment = { GIT_CEILING_DIRECTORIES: room, GIT_DIR: join(folder, 'none') };
    const args = ['diff', '--no-index', '--no-prefix', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color'];
    const ran = await git(folder, [...args, '--', 'a', 'b'], { environment });
    if (ran.code > 1) throw failed('git does not compare.', ran);
    const hunks = pairs.map(() => '');
    // Lines of content begin with a space, a plus, a minus or a backslash.
    for (const one of ran.stdout.toString('utf8').split(/^diff --git /m)) {
      const number = /^[ab]\/(\d+) /.exec(one)?.[1];
      const at = one.search(/^(?:@@ |Binary files )/m);
      if (number !== undefined && at >= 0) hunks[Number(number)] = one.slice(at);
    }
    return hunks;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function branchOut(
  git: Git,
  folder: string,
  { commit, branch, into }: { commit: string; branch: string; into: string },
): Promise<void> {
  if (existsSync(into)) throw taken(`The folder ${into} is there already.`);
  const known = await git(folder, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]);
  if (known.code === 0) throw taken(`The branch ${branch} is there already.`);
  const settings = await noFilters(git, folder);
  const made = await git(folder, ['worktree', 'add', '--quiet', '-b', branch, '--', into, commit], { settings });
  if (made.code !== 0) throw failed(`git could not make ${into} at ${commit.slice(0, 12)}.`, made);
}

function taken(why: string): AgovError {
  const what = 'Nothing is put back over what is there.';
  return new AgovError('CONFLICT', { what, why, fix: 'Give another name: --branch NAME' });
}
