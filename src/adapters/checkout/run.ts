/**
 * Git as the operator's own process asks it, outside of every sandbox, in a folder that agents write: it starts nothing
 * that a repository names: no hook, monitor, pager, diff or filter.
 */
import { spawn } from 'node:child_process';
import { AgovError, systemCode } from '../../kernel/index.ts';
import { fetchingNothing, gitEnvironment } from '../git-client/index.ts';

const settings: Readonly<Record<string, string>> = {
  'core.quotePath': 'false',
  'core.attributesFile': '/dev/null',
  'diff.external': '',
};

const quiet = { ...fetchingNothing, GIT_NO_REPLACE_OBJECTS: '1', GIT_LITERAL_PATHSPECS: '1' } as const;

export interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly environment?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
}

export type Git = (folder: string, args: readonly string[], options?: RunOptions) => Promise<Ran>;

const mostBytes = 256 * 1024 * 1024;

/** `path` is where programs are found. A git that cannot be started has the code 127. */
export function gitIn(path: string): Git {
  return (folder, args, { settings: more = {}, environment = {}, input, signal } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn('git', [...args], {
        ...{ cwd: folder, env: { PATH: path, ...quiet, ...gitEnvironment({ ...settings, ...more }), ...environment } },
        stdio: ['pipe', 'pipe', 'pipe'],
        ...(signal ? { signal } : {}),
      });
      const chunks: Buffer[] = [];
      let [size, stderr] = [0, ''];
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= mostBytes) return void chunks.push(chunk);
        child.kill('SIGKILL');
        reject(new AgovError('TOOL_FAILED', { what: `git ${args[0]} prints more than ${mostBytes} bytes.` }));
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(-2000);
      });
      child.once('error', (error) => {
        if (signal?.aborted) reject(signal.reason);
        else if (systemCode(error) === 'ENOENT') resolve({ code: 127, stdout: Buffer.alloc(0), stderr: messageFor127 });
        else reject(error);
      });
      child.once('close', (code) => resolve({ code: code ?? 128, stdout: Buffer.concat(chunks), stderr }));
      // It may end before it has read: what it says tells why.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input ?? '');
    });
}

const messageFor127 = 'git is not installed.';

/** Filters that this repository's configuration names, each made to do nothing. */
export async function noFilters(git: Git, folder: string, signal?: AbortSignal): Promise<Record<string, string>> {
  const { stdout } = await git(folder, ['config', '--null', '--name-only', '--get-regexp', '^filter\\.'], { signal });
  const names = new Set(
    stdout
      .toString()
      .split('\0')
      .filter((key) => /\.(?:clean|process|smudge|required)$/.test(key))
      .map((key) => key.slice(0, key.lastIndexOf('.'))),
  );
  return Object.fromEntries(
    [...names].flatMap((name) => [
      ...['clean', 'process', 'smudge'].map((key) => [`${name}.${key}`, '']),
      [`${name}.required`, 'false'],
    ]),
  );
}

export function failed(what: string, { stderr }: Ran): AgovError {
  const why = stderr.trim().split('\n').at(-1) ?? '';
  return new AgovError('TOOL_FAILED', { what, ...(why === '' ? {} : { why: why.slice(0, 500) }) });
}
