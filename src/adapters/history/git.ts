/**
 * The history that git keeps, in one pass. It is asked outside of every sandbox, by the operator's own process, so that
 * nothing that a repository's configuration could name is run: no hook, monitor, pager, filter, signature check or helper.
 */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { AgovError, systemCode } from '../../kernel/index.ts';
import { fetchingNothing, gitEnvironment } from '../git-client/index.ts';
import type { Change, ChangesAsked, OpenHistory } from './port.ts';

const environment = { ...gitEnvironment({ 'log.showSignature': 'false' }), ...fetchingNothing };

/** The last that a date can be. */
const latest = 8.64e15;
const [record, field] = ['\u0001', '\u0002'];

/** `path` is where programs are found. */
export function gitHistory(path: string): OpenHistory {
  const env = { PATH: path, ...environment };
  return async (root) => {
    try {
      await promisify(execFile)('git', ['-C', root, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { env });
    } catch (error) {
      return { ok: false, why: await whyNot(root, env, error) };
    }
    return { ok: true, changes: (asked) => changes(root, env, asked) };
  };
}

async function whyNot(root: string, env: NodeJS.ProcessEnv, error: unknown): Promise<string> {
  if (systemCode(error) === 'ENOENT') return 'git is not installed.';
  const inside = await promisify(execFile)('git', ['-C', root, 'rev-parse', '--git-dir'], { env }).then(
    () => true,
    () => false,
  );
  return inside ? 'The git repository has no commit yet.' : 'There is no git repository.';
}

async function* changes(root: string, env: NodeJS.ProcessEnv, { since, signal }: ChangesAsked): AsyncGenerator<Change> {
  const format = `--format=${record}%H${field}%ct${field}%s`;
  const from = `--since=@${Math.max(0, Math.floor(since / 1000))}`;
  const args = ['log', '-z', '--name-only', '--no-renames', '--no-ext-diff', '--relative', format, from, 'HEAD'];
  const child = spawn('git', ['-C', root, ...args, '--', '.'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(-500);
  });
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 128));
  });
  try {
    let current: (Change & { readonly paths: string[] }) | undefined;
    for await (const token of tokens(child.stdout.setEncoding('utf8'))) {
      signal?.throwIfAborted();
      const text = token.startsWith('\n') ? token.slice(1) : token;
      const begun = headOf(text);
      if (begun) {
        if (current) yield current;
        current = begun;
      } else if (text !== '') current?.paths.push(text);
    }
    const code = await ended;
    if (code !== 0)
      throw new AgovError('TOOL_FAILED', {
        what: 'git does not tell its history.',
        why: told.trim().split('\n')[0] ?? '',
      });
    if (current) yield current;
  } finally {
    child.kill();
  }
}

function headOf(text: string): (Change & { readonly paths: string[] }) | undefined {
  if (!text.startsWith(record)) return undefined;
  const [id = '', time = '', subject = ''] = text.slice(1).split(field);
  return /^[0-9a-f]{40,64}$/.test(id) && /^\d+$/.test(time)
    ? { id, at: Math.min(Number(time) * 1000, latest), subject, paths: [] }
    : undefined;
}

async function* tokens(stream: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
