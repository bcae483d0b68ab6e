/** One run in bubblewrap, from the first process to the last. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { Env } from '../../../kernel/index.ts';
import { commandNotExecutable, commandNotFound } from '../failures.ts';
import type { ExitStatus, Running } from '../port.ts';
import { allProcesses, descendantsOf, isRunning, type ProcessFacts, processFacts, sendSignal } from '../processes.ts';
import { ended, holdComplaints, keepUnread } from '../streams.ts';
import { neverBegan } from './failure.ts';
import type { Status } from './status.ts';

export interface Parts {
  readonly program: string;
  readonly child: ChildProcess;
  readonly status: Status;
  /** The relay's word on the command, in proxy mode. */
  readonly report: Promise<string | undefined> | undefined;
  readonly env: Env;
  readonly startedAt: number;
}

export async function follow(parts: Parts): Promise<Running> {
  const { child, env, status } = parts;
  if (child.pid === undefined || child.stdout === null || child.stderr === null) {
    throw neverBegan(parts.program, '');
  }
  const closed = new Promise<NodeJS.Signals | undefined>((resolve) => {
    child.once('exit', (_code, signal) => resolve(signal ?? undefined));
  });
  const began = status.exitCode.then((code) => code !== undefined);
  const stdout = keepUnread(child.stdout);
  const complaints = holdComplaints(child.stderr, ['bwrap: ', 'prlimit: '], began);
  const wardenPid = await status.warden;
  const warden = wardenPid === undefined ? undefined : processFacts(wardenPid);
  const group = signalGroup(warden, parts.report !== undefined, env);
  let over = false;
  const gone = closed.then(async (signal) => {
    // bubblewrap leaves as soon as the command does; its process 1 follows it, and takes everything else along.
    await endWarden(warden, env);
    over = true;
    return { signal, durationMs: env.monotonic() - parts.startedAt };
  });
  const exit = outcome();
  exit.catch(() => undefined); // whoever asks gets the rejection; nobody has to ask

  async function outcome(): Promise<ExitStatus> {
    const { signal, durationMs } = await gone;
    await Promise.all([ended(stdout), ended(complaints.stream)]);
    const reported = await parts.report;
    if (reported === 'missing') throw commandNotFound(parts.program);
    if (reported === 'not-executable') throw commandNotExecutable(parts.program);
    const code = await status.exitCode;
    if (code !== undefined) return { code, signal: signalOf(code), durationMs };
    const cause = group.last() ?? signal;
    if (cause === undefined) throw neverBegan(parts.program, complaints.text());
    return { code: 128 + constants.signals[cause], signal: cause, durationMs };
  }

  return {
    pid: child.pid,
    stdin: child.stdin ?? undefined,
    stdout,
    stderr: complaints.stream,
    signal: (signal) => !over && group.send(signal),
    async kill() {
      const from = env.monotonic();
      if (!over) {
        group.send('SIGKILL');
        child.kill('SIGKILL');
      }
      await gone;
      return env.monotonic() - from;
    },
    exit,
  };
}

interface SignalGroup {
  send(signal: NodeJS.Signals): boolean;
  /** The last signal sent. */
  last(): NodeJS.Signals | undefined;
}

/**
 * Signals every process of the sandbox but its process 1, which the kernel would not let die of them anyway, and the
 * relay, which must outlive the command. One that comes before the command exists waits for it.
 */
function signalGroup(warden: ProcessFacts | undefined, relay: boolean, env: Env): SignalGroup {
  let last: NodeJS.Signals | undefined;
  const deliver = (signal: NodeJS.Signals): boolean => {
    if (warden === undefined) return false;
    const all = allProcesses();
    const inside = descendantsOf(warden.pid, all);
    const first = relay ? oldest(inside.filter((facts) => facts.parent === warden.pid)) : undefined;
    const sent = inside.filter((facts) => facts !== first).map((facts) => sendSignal(facts.pid, signal));
    return sent.includes(true);
  };
  const deliverLater = async (signal: NodeJS.Signals): Promise<void> => {
    while (warden !== undefined && isRunning(warden) && !deliver(signal)) await env.sleep(1);
  };
  return {
    last: () => last,
    send(signal) {
      if (warden === undefined || !isRunning(warden)) return false;
      last = signal;
      if (signal === 'SIGKILL') return sendSignal(warden.pid, signal);
      if (!deliver(signal)) void deliverLater(signal);
      return true;
    },
  };
}

function oldest(processes: readonly ProcessFacts[]): ProcessFacts | undefined {
  return processes.reduce<ProcessFacts | undefined>(
    (best, facts) => (best && Number(best.startedAt) <= Number(facts.startedAt) ? best : facts),
    undefined,
  );
}

/** The kernel lets process 1 of a namespace become a zombie only after every other process of it is dead. */
async function endWarden(warden: ProcessFacts | undefined, env: Env): Promise<void> {
  if (warden === undefined) return;
  // It is mostly a matter of less than the shortest timer.
  for (let looks = 0; isRunning(warden); looks++) {
    sendSignal(warden.pid, 'SIGKILL');
    await (looks < 50 ? setImmediate() : env.sleep(1));
  }
}

/** bubblewrap reports a signal as shells do, 128 and its number. */
function signalOf(code: number): NodeJS.Signals | undefined {
  const names = Object.keys(constants.signals) as NodeJS.Signals[]; // the keys of that table are the signals' names
  return names.find((name) => code === 128 + constants.signals[name]);
}
