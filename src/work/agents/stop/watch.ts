/** While a command runs: it is on the list of what runs, and there are reasons to kill it (revocation, time-out, abort). */
import type { Running, Sandbox } from '../../../adapters/sandbox/port.ts';
import type { LiveRun, Standing } from '../../../adapters/state/port.ts';
import { type Channel, processStart } from '../../../governance/governor/index.ts';
import { formatDuration } from '../../../kernel/index.ts';
import type { Tier } from '../../../schemas/index.ts';
import { type Beating, openPulse, type PulseParts, whyStop } from './pulse.ts';

export interface StopWatch {
  /** Why the command was killed, if it was; asked once it has ended. */
  reason(killed: boolean): Promise<string | undefined>;
  end(): Promise<void>;
}

export interface StopRequest {
  readonly channel: Channel;
  /** By which it was started. */
  readonly tier: Tier;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Watches what this process runs. Where it cannot, the command is killed: nobody could stop it later. */
export type Watch = (request: StopRequest, running: Running, intent: string) => Promise<StopWatch>;

export interface WatchParts extends PulseParts {
  /** `host/boot-id` of this machine. */
  readonly host: string;
  readonly sandbox: Sandbox['kind'];
}

export function createWatch(parts: WatchParts): Watch {
  const { env, state, standings } = parts;
  const pulse = openPulse(parts);

  return async (request, running, intent) => {
    try {
      return await watch(request, running, intent);
    } catch (error) {
      await running.kill();
      throw error;
    }
  };

  async function standingOf(live: LiveRun): Promise<Standing> {
    const [found] = await standings.of(state.registry, [live]);
    return found ?? { agent: undefined, stopped: undefined };
  }

  /** Registration comes before the last look at the agent: a revocation either finds the run, or is found here. */
  async function watch(request: StopRequest, running: Running, intent: string): Promise<StopWatch> {
    const { channel, tier, timeoutMs, signal } = request;
    let reason: string | undefined;
    let over = false;
    const stop = (why: string): void => {
      if (over || reason !== undefined) return;
      reason = why;
      void running.kill();
    };

    const since = await state.events.last();
    const live: LiveRun = {
      ...{ intent, run: channel.run, agent: channel.agent, host: parts.host, sandbox: parts.sandbox },
      governorPid: process.pid,
      processGroup: running.pid,
      processStart: processStart(running.pid) ?? 'ended',
      startedAt: env.now(),
      beatAt: env.now(),
    };
    const beating: Beating = { live, tier, since, stop };
    await state.registry.startRun(live);
    const standing = await standingOf(live);
    const retired =
      standing.agent?.status === 'retired' ? `agent "${live.agent}" was retired as it started.` : undefined;
    const late = whyStop(beating, standing) ?? retired;
    if (late !== undefined) stop(`Killed: ${late}`);
    pulse.add(beating);
    const timeout =
      timeoutMs === undefined
        ? undefined
        : env.timer(() => stop(`Killed: it ran longer than ${formatDuration(timeoutMs)}.`), timeoutMs);
    const onAbort = (): void => stop('Killed: the caller stopped it.');
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });

    return {
      async reason(killed) {
        if (reason !== undefined || !killed) return reason;
        try {
          // Whoever revoked the agent may have killed the processes before the event came round to us.
          const why = whyStop(beating, standings.recorded(live)) ?? whyStop(beating, await standingOf(live));
          return why === undefined ? undefined : `Killed: ${why}`;
        } catch {
          return 'Killed; whether by a revocation cannot be told, since the state store does not answer.';
        }
      },
      async end() {
        over = true;
        timeout?.[Symbol.dispose]();
        signal?.removeEventListener('abort', onAbort);
        await pulse.remove(beating);
        // It has ended, whatever the store knows of it: whoever looks for it finds no process any more.
        await state.registry.endRun(intent).catch(() => undefined);
      },
    };
  }
}
