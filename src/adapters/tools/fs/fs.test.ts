import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { prepare, use } from '../../../../test/support/git-project.ts';
import { bareExec, type ToolRoom, toolRoom } from '../../../../test/support/tool-exec.ts';
import { sha256Hex } from '../../../kernel/index.ts';
import { fsTools } from './index.ts';

let room: ToolRoom;
let workspace: string;

beforeEach(() => {
  room = toolRoom({ agent: 'ada' });
  workspace = room.context.workspace;
});
afterEach(() => room[Symbol.dispose]());

const act = (name: string, args: Record<string, unknown>) =>
  use(fsTools(), name, args, room.context, bareExec(room.context));
const look = (name: string, args: Record<string, unknown>) =>
  prepare(fsTools(), name, args, room.context, bareExec(room.context));

describe('fs.read', () => {
  test('gives the exact bytes', async () => {
    const content = Buffer.from([0, 255, 10, 13, 128]);
    writeFileSync(join(workspace, 'blob'), content);
    const result = await act('fs.read', { path: 'blob' });
    expect(result).toMatchObject({ status: 'ok', facts: { sha256: sha256Hex(content), size: 5 } });
    expect(Buffer.from(result.artifacts[0]?.content ?? '').equals(content)).toBe(true);
    expect(result.text).not.toContain('\0');
  });

  test('shows text as it is', async () => {
    writeFileSync(join(workspace, '-'), 'grüezi\n');
    expect((await act('fs.read', { path: '-' })).text).toBe('grüezi\n');
  });

  test('follows a link inside the workspace, and a write goes through it', async () => {
    symlinkSync('file', join(workspace, 'link'));
    await act('fs.write', { path: 'link', content: 'x' });
    expect(readFileSync(join(workspace, 'file'), 'utf8')).toBe('x');
    expect((await act('fs.read', { path: 'link' })).text).toBe('x');
  });

  test.each([
    ['gone', 'gone does not exist.'],
    ['folder', 'folder is a directory; fs.read reads files.'],
    ['.', '. is a directory; fs.read reads files.'],
    ['big', 'big has 12000001 bytes; fs.read reads at most 12000000.'],
    ['device', 'device is not a regular file.'],
  ])('says what is wrong with %s', async (path, reason) => {
    mkdirSync(join(workspace, 'folder'));
    writeFileSync(join(workspace, 'big'), Buffer.alloc(12_000_001));
    symlinkSync('/dev/zero', join(workspace, 'device'));
    expect(await act('fs.read', { path })).toMatchObject({ status: 'failed', reason });
  });
});

describe('fs.write', () => {
  test('makes the file and its folders', async () => {
    const call = await look('fs.write', { path: './a//b/../c.txt', content: 'text' });
    const about = { sha256: sha256Hex('text'), size: 4 };
    expect(call).toMatchObject({ intent: { action: 'fs.write', resource: 'a/c.txt', args: about }, facts: {} });
    const result = await call.perform(bareExec(room.context));
    expect(result).toMatchObject({ status: 'ok', facts: about });
    expect(readFileSync(join(workspace, 'a/c.txt'), 'utf8')).toBe('text');
  });

  test('replaces content, keeps the mode', async () => {
    writeFileSync(join(workspace, 'run.sh'), 'a much longer text than the next');
    chmodSync(join(workspace, 'run.sh'), 0o755);
    await act('fs.write', { path: 'run.sh', content: 'short' });
    expect(readFileSync(join(workspace, 'run.sh'), 'utf8')).toBe('short');
    expect(statSync(join(workspace, 'run.sh')).mode & 0o777).toBe(0o755);
  });

  test('writes nothing, and three megabytes', async () => {
    await act('fs.write', { path: 'empty', content: '' });
    expect(statSync(join(workspace, 'empty')).size).toBe(0);
    const content = 'ä'.repeat(1_500_000);
    await act('fs.write', { path: 'large', content });
    expect(readFileSync(join(workspace, 'large'), 'utf8')).toBe(content);
  });

  test('takes a path with an odd beginning for a path', async () => {
    await act('fs.write', { path: '--help', content: 'x' });
    expect(existsSync(join(workspace, '--help'))).toBe(true);
  });

  test.each([
    ['folder', 'folder is a directory; fs.write writes files.'],
    ['file/below', 'The folder of file/below cannot be made: File exists.'],
  ])('says what is wrong with %s', async (path, reason) => {
    mkdirSync(join(workspace, 'folder'));
    writeFileSync(join(workspace, 'file'), '');
    expect(await act('fs.write', { path, content: '' })).toMatchObject({ status: 'failed', reason });
  });
});

describe('fs.delete', () => {
  test('removes a link, not what it points to', async () => {
    writeFileSync(join(workspace, 'file'), '');
    symlinkSync('file', join(workspace, 'link'));
    expect(await act('fs.delete', { path: 'link' })).toMatchObject({ status: 'ok' });
    expect([existsSync(join(workspace, 'link')), existsSync(join(workspace, 'file'))]).toEqual([false, true]);
  });

  test('says that there is nothing, or a folder', async () => {
    mkdirSync(join(workspace, 'folder'));
    expect(await act('fs.delete', { path: 'gone' })).toMatchObject({ reason: 'gone does not exist.' });
    expect(await act('fs.delete', { path: 'folder/' })).toMatchObject({
      reason: 'folder is a directory; fs.delete deletes files one by one.',
    });
  });
});

describe('paths', () => {
  test.each(['/etc/passwd', 'a\0b', '', 'x'.repeat(4097), '\ud800'])('%j is refused', async (path) => {
    await expect(look('fs.read', { path })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  test('an absolute path inside becomes relative; one that leads out is left for the rules to deny', async () => {
    expect((await look('fs.read', { path: join(workspace, 'a/b') })).intent.resource).toBe('a/b');
    expect((await look('fs.read', { path: 'a/../../x' })).intent.resource).toBe('../x');
  });

  test('a folder that vanishes meanwhile is a sentence', async () => {
    const call = await look('fs.delete', { path: 'a/b' });
    rmSync(workspace, { recursive: true });
    mkdirSync(workspace);
    expect(await call.perform(bareExec(room.context))).toMatchObject({
      status: 'failed',
      reason: 'a/b does not exist.',
    });
  });
});

test('a missing program is said to be missing', async () => {
  const call = await look('fs.read', { path: 'a' });
  await expect(call.perform(bareExec(room.context, '/nowhere'))).rejects.toMatchObject({ code: 'TOOL_MISSING' });
});
