/** While a command runs: heartbeats, and the reasons to kill it (revocation, time-out, the caller's abort). */
import type { Running } from '../../adapters/sandbox/port.ts';
import type { State } from '../../adapters/state/port.ts';
import type { Channel, Governor } from '../../governance/governor/index.ts';
import { type Env, formatDuration } from '../../kernel/index.ts';

export const revokedTopic = 'agent.revoked';
const beatEveryMs = 1000;

export interface StopWatch {
  /** Why the command was killed, if it was; asked once it has ended. */
  reason(killed: boolean): Promise<string | undefined>;
  end(): Promise<void>;
}

export interface StopParts {
  readonly env: Env;
  readonly state: State;
  readonly governor: Governor;
  readonly host: string;
}

export interface StopRequest {
  readonly channel: Channel;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Watches from now on. Where it cannot, the command is killed: nobody could stop it later. */
export async function watchForStop(
  parts: StopParts,
  request: StopRequest,
  running: Running,
  intent: string,
): Promise<StopWatch> {
  try {
    return await watch(parts, request, running, intent);
  } catch (error) {
    await running.kill();
    throw error;
  }
}

/** Registers the run as live, then watches. Registration comes before the last look at the agent, so that a
 * revocation either finds the run in the registry or is found here. */
async function watch(
  parts: StopParts,
  { channel, timeoutMs, signal }: StopRequest,
  running: Running,
  intent: string,
): Promise<StopWatch> {
  const { env, state } = parts;
  const ended = new AbortController();
  let reason: string | undefined;
  const kill = (why: string): void => {
    if (ended.signal.aborted || reason !== undefined) return;
    reason = why;
    void running.kill();
  };

  const seen = await state.events.last();
  await state.registry.startRun({
    run: intent,
    agent: channel.agent,
    host: parts.host,
    governorPid: process.pid,
    processGroup: running.pid,
    startedAt: env.now(),
    beatAt: env.now(),
  });
  const agent = await state.registry.get(channel.agent);
  if (agent?.status !== 'active')
    kill(`Killed: agent "${channel.agent}" was ${agent?.status ?? 'removed'} as it started.`);

  const followed = follow(state, ended.signal, seen, channel.agent, kill).catch(() =>
    // Without the state store a revocation could not reach us: no authority, no run.
    kill('Killed: the state store stopped answering, so a revocation could not be seen.'),
  );
  const beating = beat(parts, ended.signal, intent, channel.agent, kill);
  const timeout =
    timeoutMs === undefined
      ? undefined
      : env.timer(() => kill(`Killed: it ran longer than ${formatDuration(timeoutMs)}.`), timeoutMs);
  const onAbort = (): void => kill('Killed: the caller stopped it.');
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });

  return {
    async reason(killed) {
      if (reason !== undefined || !killed) return reason;
      // Whoever revoked the agent may have killed the processes before the event came round to us.
      const { status } = (await state.registry.get(channel.agent)) ?? { status: 'removed' };
      return status === 'active' ? undefined : `Killed: agent "${channel.agent}" was ${status}.`;
    },
    async end() {
      ended.abort();
      timeout?.[Symbol.dispose]();
      beating[Symbol.dispose]();
      signal?.removeEventListener('abort', onAbort);
      await followed;
      await state.registry.endRun(intent);
    },
  };
}

async function follow(
  state: State,
  signal: AbortSignal,
  after: number,
  agent: string,
  kill: (why: string) => void,
): Promise<void> {
  for await (const event of state.events.follow(signal, after)) {
    if (event.topic === revokedTopic && event.body['agent'] === agent) {
      kill(`Killed: agent "${agent}" was revoked.`);
    }
  }
}

/** Besides the sign of life: the last resort of a revocation whose announcement got lost on the way. */
function beat(
  parts: StopParts,
  ended: AbortSignal,
  intent: string,
  agent: string,
  kill: (why: string) => void,
): Disposable {
  const { registry } = parts.state;
  let timer: Disposable | undefined;
  const look = async (): Promise<void> => {
    if (!(await registry.beat(intent, parts.env.now()))) return kill('Killed: the run is not registered any more.');
    const found = await registry.get(agent);
    // A retired agent may finish what it runs.
    if (found?.status !== 'active' && found?.status !== 'retired')
      return kill(`Killed: agent "${agent}" was ${found?.status ?? 'removed'}.`);
    if (!ended.aborted) timer = parts.env.timer(again, beatEveryMs);
  };
  const again = (): void => {
    if (!ended.aborted) look().catch(() => kill('Killed: the state store stopped answering.'));
  };
  timer = parts.env.timer(again, beatEveryMs);
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}
