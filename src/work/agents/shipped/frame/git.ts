/**
 * Git for looking, inside the agent's own sandbox: deaf to the configuration of user and machine, starting no program that
 * a repository names, changing nothing. What it reads may be anybody's.
 */
import { spawn } from 'node:child_process';

const settings: Readonly<Record<string, string>> = {
  // In a sandbox's user namespace owners say nothing.
  'safe.directory': '*',
  'core.fsmonitor': 'false',
  'core.hooksPath': '/dev/null',
  'core.pager': 'cat',
  'core.quotePath': 'false',
  'core.attributesFile': '/dev/null',
  'diff.external': '',
};

const environment: NodeJS.ProcessEnv = {
  ...{ PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'C' },
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' },
  ...{ GIT_NO_REPLACE_OBJECTS: '1', GIT_LITERAL_PATHSPECS: '1' },
  GIT_CONFIG_COUNT: String(Object.keys(settings).length),
  ...Object.fromEntries(
    Object.entries(settings).flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ),
};

const mostBytes = 64 * 1024 * 1024;

export interface Looked {
  readonly code: number;
  readonly stdout: string;
}

export interface GitOptions {
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

/** What it prints. A git that cannot be started has the code 127. */
export async function look(args: readonly string[], options: GitOptions = {}): Promise<Looked> {
  const chunks: Buffer[] = [];
  let size = 0;
  const code = await stream(
    args,
    (chunk) => {
      size += chunk.length;
      if (size > mostBytes) throw new Error(`git ${args[0]} prints more than ${mostBytes} bytes.`);
      chunks.push(chunk);
    },
    options,
  );
  return { code, stdout: Buffer.concat(chunks).toString('utf8') };
}

/** Hands over the output as it comes. The exit code. */
export function stream(
  args: readonly string[],
  take: (chunk: Buffer) => void,
  { cwd = '.', signal }: GitOptions = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...args], {
      ...{ cwd, env: environment, stdio: ['ignore', 'pipe', 'ignore'] },
      ...(signal ? { signal } : {}),
    });
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        child.kill('SIGKILL');
        reject(error);
      }
    });
    child.once('error', (error) => (signal?.aborted ? reject(signal.reason) : notStarted(error, resolve, reject)));
    child.once('close', (code) => resolve(code ?? 128));
  });
}

function notStarted(error: Error, resolve: (code: number) => void, reject: (error: Error) => void): void {
  if ('code' in error && error.code === 'ENOENT') resolve(127);
  else reject(error);
}

/** The lines of what it prints; empty where it fails. */
export async function lines(args: readonly string[], options: GitOptions = {}): Promise<readonly string[]> {
  const { code, stdout } = await look(args, options);
  return code === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
}

/** Undefined where it fails, or prints nothing. */
export async function word(args: readonly string[], options: GitOptions = {}): Promise<string | undefined> {
  return (await lines(args, options))[0];
}

export async function succeeds(args: readonly string[], options: GitOptions = {}): Promise<boolean> {
  return (await look(args, options)).code === 0;
}
