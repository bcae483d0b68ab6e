/** The command line as a user meets it: in this process where that is enough, as a process of its own where it is not. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Entry } from '../../src/schemas/index.ts';
import { runCli } from '../../src/surfaces/cli/index.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestProject extends Disposable {
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Runs a command line in this process. */
  agov(...argv: string[]): Promise<Result>;
  /** The same with text on standard input. */
  agovWith(input: string, ...argv: string[]): Promise<Result>;
  /** Runs it as a process of its own; `nodeOptions` go before the program. */
  start(argv: readonly string[], options?: { env?: NodeJS.ProcessEnv; nodeOptions?: readonly string[] }): Started;
  git(...argv: string[]): string;
  /** The whole ledger. */
  entries(): Promise<Entry[]>;
}

export interface Started {
  readonly child: ChildProcess;
  readonly done: Promise<Result & { readonly signal: NodeJS.Signals | null }>;
  /** Resolves when standard output holds `text`. */
  printed(text: string): Promise<void>;
  /** What it has said on standard error by now. */
  told(): string;
}

/** A git repository with `agov init` done; `agents` as name to tier. */
export async function testProject(agents: Readonly<Record<string, string>> = {}): Promise<TestProject> {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'agov-test-')));
  const root = join(place, 'project');
  const environment: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: place,
    XDG_CONFIG_HOME: join(place, 'keys'),
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
    LANG: 'C.UTF-8',
  };

  const agovWith = async (input: string, ...argv: string[]): Promise<Result> => {
    const stdin = new PassThrough();
    stdin.end(input);
    const [stdout, stderr] = [collector(), collector()];
    const code = await runCli(argv, {
      ...{ stdin, stdout, stderr, environment },
      cwd: root,
      version: '0.0.0',
      signals: { listen: () => ({ [Symbol.dispose]: () => undefined }) },
    });
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  };
  const agov = (...argv: string[]): Promise<Result> => agovWith('', ...argv);
  const git = (...argv: string[]): string => {
    const done = spawnSync('git', argv, { cwd: root, encoding: 'utf8', env: environment });
    if (done.status !== 0) throw new Error(`git ${argv.join(' ')}: ${done.stderr}`);
    return done.stdout.trim();
  };

  spawnSync('git', ['init', '--quiet', '--initial-branch=main', root]);
  git('config', 'user.name', 'ada');
  git('config', 'user.email', 'ada@example.com');
  await must(agov('init', '--operator', 'ada'));
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Begin');
  for (const [name, tier] of Object.entries(agents)) await must(agov('agent', 'add', name, '--tier', tier));

  return {
    ...{ root, environment, agov, agovWith, git },
    start(argv, { env = {}, nodeOptions = [] } = {}) {
      const child = spawn(process.execPath, [...nodeOptions, main, ...argv], {
        cwd: root,
        env: { ...environment, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return started(child);
    },
    async entries() {
      const { stdout } = await must(agov('ledger', 'tail', '--json', '-n', '100000'));
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    [Symbol.dispose]: () => rmSync(place, { recursive: true, force: true }),
  };
}

export async function must(result: Promise<Result>): Promise<Result> {
  const done = await result;
  if (done.code !== 0) throw new Error(`exit ${done.code}: ${done.stderr}${done.stdout}`);
  return done;
}

function started(child: ChildProcess): Started {
  let stdout = '';
  let stderr = '';
  const waiting = new Set<() => void>();
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
    for (const look of waiting) look();
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const done = new Promise<Result & { readonly signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code: code ?? 128, signal, stdout, stderr }));
  });
  return {
    child,
    done,
    told: () => stderr,
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!stdout.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void done.then((end) => reject(new Error(`It ended without printing "${text}": ${end.code} ${end.stderr}`)));
      }),
  };
}

function collector(): Writable & { text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString('utf8') });
}
