/** Each tool once inside the real sandbox, as the governor runs it: `.git` read-only but for the commands that ask. */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { git, gitProject, use, write } from '../../../test/support/git-project.ts';
import { missing, required } from '../../../test/support/needs.ts';
import { bubblewrap, sandboxExec } from '../../../test/support/tool-exec.ts';
import { fsTools } from './fs/index.ts';
import { gitTools } from './git/index.ts';
import { terraformTools } from './terraform/index.ts';

const sandbox = bubblewrap();
let unusable: string | undefined;

beforeAll(async () => {
  const health = await sandbox.health();
  unusable = health.ok ? undefined : health.detail;
  if (process.env['CI'] === 'true') expect(unusable).toBeUndefined();
});

describe('in bubblewrap', () => {
  test('fs.write and fs.read work inside; a link out leads nowhere', async (context) => {
    if (unusable) context.skip(unusable);
    using room = gitProject();
    const exec = sandboxExec(sandbox, room.context);
    const act = (name: string, args: Record<string, unknown>) => use(fsTools(), name, args, room.context, exec);
    expect(await act('fs.write', { path: 'a/b.txt', content: 'b' })).toMatchObject({ status: 'ok' });
    expect(readFileSync(join(room.context.workspace, 'a/b.txt'), 'utf8')).toBe('b');
    expect(await act('fs.read', { path: 'a/b.txt' })).toMatchObject({ status: 'ok', text: 'b' });
    expect(await act('fs.delete', { path: 'a/b.txt' })).toMatchObject({ status: 'ok' });

    const outside = join(room.context.projectRoot, '../outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(outside, join(room.context.workspace, 'out'));
    expect(await act('fs.read', { path: 'out/secret' })).toMatchObject({ status: 'failed' });
    await act('fs.write', { path: 'out/new', content: 'x' });
    expect(existsSync(join(outside, 'new'))).toBe(false);
    expect(await act('fs.write', { path: '.git/config', content: 'x' })).toMatchObject({ status: 'failed' });
  });

  test('git makes a worktree, commits there, merges and pushes', async (context) => {
    if (unusable) context.skip(unusable);
    using room = gitProject();
    const root = room.context.projectRoot;
    const remote = join(root, '../remote.git');
    git(root, 'init', '-q', '--bare', remote);
    git(root, 'remote', 'add', 'origin', remote);
    const act = (name: string, args: Record<string, unknown>, seat = room.context) =>
      use(gitTools(), name, args, seat, sandboxExec(sandbox, seat));

    expect(await act('git.worktree', { branch: 'work' })).toMatchObject({ status: 'ok' });
    const seat = { ...room.context, workspace: join(root, '.worktrees/ada-work') };
    write(seat.workspace, 'new.txt', 'new\n');
    expect(await act('git.commit', { message: 'New' }, seat)).toMatchObject({ status: 'ok' });
    expect(git(seat.workspace, 'status', '--porcelain')).toBe('');
    expect(await act('git.push', { branch: 'agov/ada/work' }, seat)).toMatchObject({ status: 'ok' });
    const merge = { branch: 'agov/ada/work', into: 'main' };
    expect(await act('git.merge', merge, seat)).toMatchObject({ status: 'ok', facts: { workingTree: 'updated' } });
    expect(readFileSync(join(root, 'new.txt'), 'utf8')).toBe('new\n');
    expect(git(root, 'status', '--porcelain')).toBe('');
    expect(git(remote, 'rev-parse', 'agov/ada/work')).toBe(git(root, 'rev-parse', 'agov/ada/work'));

    write(root, 'direct.txt', 'direct\n');
    expect(await act('git.commit', { message: 'Direct' })).toMatchObject({ status: 'ok', facts: { branch: 'main' } });
    expect(git(root, 'status', '--porcelain')).toBe('');
  });

  test('a merge that changes what the sandbox protects says that the working files have not followed', async (context) => {
    if (unusable) context.skip(unusable);
    using room = gitProject();
    const root = room.context.projectRoot;
    write(root, 'agov.yaml', 'version: 1\n');
    git(root, 'add', '-A');
    git(root, 'commit', '-qm', 'Configure');
    git(root, 'checkout', '-q', '-b', 'topic');
    write(root, 'agov.yaml', 'version: 2\n');
    git(root, 'commit', '-qam', 'Loosen');
    git(root, 'checkout', '-q', 'main');
    const merge = { branch: 'topic', into: 'main' };
    const result = await use(gitTools(), 'git.merge', merge, room.context, sandboxExec(sandbox, room.context));
    expect(result).toMatchObject({ status: 'ok', facts: { workingTree: 'behind' } });
    expect(result.text).toContain('have NOT followed');
    expect(readFileSync(join(root, 'agov.yaml'), 'utf8')).toBe('version: 1\n');
  });

  test('terraform plans and applies', async (context) => {
    if (unusable) context.skip(unusable);
    if (missing('terraform')) {
      expect(required('terraform')).toBe(false);
      context.skip('terraform is not installed');
    }
    using room = gitProject();
    const example = join(import.meta.dirname, '../../../examples/terraform-change/infra');
    cpSync(example, join(room.context.workspace, 'infra'), { recursive: true });
    const exec = sandboxExec(sandbox, room.context);
    const act = (name: string, args: Record<string, unknown>) => use(terraformTools(), name, args, room.context, exec);
    const planned = await act('terraform.plan', { dir: 'infra/dev' });
    expect(planned).toMatchObject({ status: 'ok', facts: { creates: 2 } });
    const plan = room.keep(planned.artifacts[0]?.content ?? '');
    expect(await act('terraform.apply', { dir: 'infra/dev', plan })).toMatchObject({ status: 'ok' });
    expect(existsSync(join(room.context.workspace, 'infra/dev/terraform.tfstate'))).toBe(true);
  });
});
