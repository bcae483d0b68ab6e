/** A project with a repository, as its operator would have it, and an operator's git that is not one of ours. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tool, ToolCall, ToolContext, ToolExec, ToolResult } from '../../src/adapters/tools/port.ts';
import { nextCall, type ToolRoom, toolRoom } from './tool-exec.ts';

const operator = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'operator',
  GIT_AUTHOR_EMAIL: 'operator@example.org',
  GIT_COMMITTER_NAME: 'operator',
  GIT_COMMITTER_EMAIL: 'operator@example.org',
};

/** The operator's own git, outside every sandbox. Its output, trimmed. */
export function git(folder: string, ...args: readonly string[]): string {
  const env = { PATH: process.env['PATH'] ?? '', ...operator };
  return execFileSync('git', ['-C', folder, ...args], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

export function write(folder: string, path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

/** On branch main, with one commit of `README.md` and `.gitignore`. */
export function gitProject(agent = 'ada'): ToolRoom {
  const room = toolRoom({ agent });
  cpSync(model(), room.context.projectRoot, { recursive: true });
  return room;
}

let made: string | undefined;

/** Made once a process and copied for each test: three processes less. */
function model(): string {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'agov-model-'));
  git(folder, 'init', '-q', '-b', 'main');
  write(folder, 'README.md', 'one\n');
  write(folder, '.gitignore', '.agov/\n.worktrees/\n');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-qm', 'Begin');
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  made = folder;
  return folder;
}

export function prepare(
  tools: readonly Tool[],
  name: string,
  args: Record<string, unknown>,
  context: ToolContext,
  exec: ToolExec,
): Promise<ToolCall> {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool.prepare(args, nextCall(context), looking(exec));
}

/** Both halves, each with a scratch folder that the other calls do not see. */
export async function use(
  tools: readonly Tool[],
  name: string,
  args: Record<string, unknown>,
  context: ToolContext,
  exec: ToolExec,
): Promise<ToolResult> {
  return (await prepare(tools, name, args, context, exec)).perform(exec);
}

/** The governor's rule for the time before the decision. */
function looking(exec: ToolExec): ToolExec {
  return (command) => {
    if (command.access !== 'read' || command.readWrite?.length || command.unprotect?.length) {
      throw new Error(`${command.argv.join(' ')} wants to write before it is allowed`);
    }
    return exec(command);
  };
}
