/** One run without a sandbox, from the command to the last of what it started. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { AgovError, type Env } from '../../../kernel/index.ts';
import type { Running } from '../port.ts';
import { sendSignal } from '../processes.ts';
import { ended, keepUnread } from '../streams.ts';
import { endFamily, familyOf } from './family.ts';

export interface Parts {
  readonly child: ChildProcess;
  readonly mark: string;
  readonly env: Env;
  readonly startedAt: number;
  /** Why the command could not be executed, and something harmless was in its stead. */
  readonly failure: AgovError | undefined;
}

/** How long an output stream that brings nothing may stay open after the last process that we can find. */
const silenceMs = 500;

export async function follow({ child, mark, env, startedAt, failure }: Parts): Promise<Running> {
  const { pid, stdout: out, stderr: err } = child;
  if (pid === undefined || out === null || err === null) {
    throw new AgovError('INTERNAL', { what: 'A command was started without its streams.' });
  }
  const closed = new Promise<{ readonly code: number; readonly signal: NodeJS.Signals | undefined }>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code: code ?? (signal === null ? 1 : 128 + constants.signals[signal]), signal: signal ?? undefined });
    });
  });
  const [stdout, stderr] = [keepUnread(out), keepUnread(err)];
  let over = false;
  const gone = closed.then(async (result) => {
    await endFamily(pid, mark, env);
    over = true;
    return { ...result, durationMs: env.monotonic() - startedAt };
  });
  const exit = gone.then(async (status) => {
    await Promise.all([letGo(out, stdout, env), letGo(err, stderr, env)]);
    if (failure !== undefined) throw failure;
    return status;
  });
  exit.catch(() => undefined); // whoever asks gets the rejection; nobody has to ask
  return {
    pid,
    stdin: child.stdin ?? undefined,
    stdout,
    stderr,
    signal: (signal) => !over && familyOf(pid, mark).filter((facts) => sendSignal(facts.pid, signal)).length > 0,
    async kill() {
      const from = env.monotonic();
      if (!over) await endFamily(pid, mark, env);
      await gone;
      return env.monotonic() - from;
    },
    exit,
  };
}

/** Waits for the end of a stream, and cuts it when a process that we could not find holds it open in silence. */
async function letGo(source: Readable, stream: Readable, env: Env): Promise<void> {
  const done = new AbortController();
  let heard = true;
  const onData = (): void => {
    heard = true;
  };
  source.on('data', onData);
  const watch = async (): Promise<void> => {
    while (!source.closed) {
      if (!heard && stream.readableLength === 0) {
        source.unpipe();
        source.destroy();
        stream.push(null);
        return;
      }
      heard = false;
      await env.sleep(silenceMs, done.signal);
    }
  };
  const watching = watch().catch(() => undefined); // only the abort below rejects it
  await ended(stream);
  done.abort();
  source.off('data', onData);
  await watching;
}
