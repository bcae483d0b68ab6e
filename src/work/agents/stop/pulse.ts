/**
 * One heartbeat for all that this process runs: it tells the registry that they live, asks whether they still may, and
 * follows the events. A store that does not answer is waited for, no longer than the grace; then whatever is above T0
 * stops. One that comes back, or has forgotten an agent, is brought in line with the ledger before it is believed: it may
 * have come back empty, or from an old snapshot. The ledger is looked at in a beat of its own, so that what is revoked on
 * this host dies at every tier, however long the store stays away and whatever it says.
 */
import type { LiveRun, Standing, State } from '../../../adapters/state/port.ts';
import type { Standings } from '../../../governance/standing/index.ts';
import { type Env, formatDuration } from '../../../kernel/index.ts';
import { type Tier, tierLevel } from '../../../schemas/index.ts';
import { readHalt } from './event.ts';

export interface PulseParts {
  readonly env: Env;
  readonly state: State;
  readonly standings: Pick<Standings, 'recorded' | 'of'>;
  /** How long the store may be away before what is above T0 stops. */
  readonly graceMs: number;
  /** Brings the registry in line with the ledger. */
  recover(): Promise<unknown>;
}

export interface Beating {
  readonly live: LiveRun;
  /** By which it runs: its sandbox is that tier's. */
  readonly tier: Tier;
  /** Events up to this number are older than the run. */
  readonly since: number;
  stop(why: string): void;
}

export interface Pulse {
  /** Call once it is registered. */
  add(beating: Beating): void;
  remove(beating: Beating): Promise<void>;
}

const longestBeatMs = 1000;

export function openPulse({ env, state, standings, graceMs, recover }: PulseParts): Pulse {
  const { recorded } = standings;
  const beatMs = Math.max(20, Math.min(longestBeatMs, graceMs / 4));
  const all = new Set<Beating>();
  let going: { readonly stop: AbortController; readonly followed: Promise<void> } | undefined;
  let grace: Disposable | undefined;
  let telling: Promise<unknown> = Promise.resolve();
  let queued = false;

  const answered = (): void => {
    grace?.[Symbol.dispose]();
    grace = env.timer(lost, graceMs);
  };
  const lost = (): void => {
    const why = `Killed: the state store or the ledger has not answered for ${formatDuration(graceMs)} (state.grace), so a revocation could not be seen.`;
    for (const one of [...all]) if (tierLevel(one.tier) > tierLevel('T0')) one.stop(why);
  };

  const stopTold = (one: Beating, why: string): void => {
    one.stop(`Killed: ${why}`);
    if (queued || isRecorded(one)) return;
    // What another host has stopped goes on record here too, so that it stays stopped when the server forgets it.
    queued = true;
    telling = telling.then(() => {
      queued = false;
      return recover().catch(() => undefined); // the next start does it
    });
  };
  const isRecorded = (one: Beating): boolean => {
    try {
      return whyStop(one, recorded(one.live)) !== undefined;
    } catch {
      return false; // a ledger that is busy; `recover` asks again
    }
  };

  async function beat(signal: AbortSignal): Promise<void> {
    for (let troubled = false; ; ) {
      await env.sleep(beatMs, signal);
      try {
        if (troubled) await recover();
        await look();
        troubled = false;
        if (!signal.aborted) answered();
      } catch {
        // Not a reason to stop yet: the grace runs on, and ends what this does not mend.
        troubled = true;
      }
    }
  }

  /** Apart from the beat, which waits for the store. */
  async function watchLedger(signal: AbortSignal): Promise<void> {
    for (;;) {
      await env.sleep(beatMs, signal);
      try {
        for (const one of [...all]) stopFor(one, whyStop(one, recorded(one.live)));
      } catch {
        // Busy or away; `look` asks it too, so that the grace ends what this does not mend.
      }
    }
  }

  async function look(): Promise<void> {
    const now = [...all];
    const actors = now.map(({ live }) => live);
    const gone = new Set(
      await state.registry.beat(
        actors.map(({ intent }) => intent),
        env.now(),
      ),
    );
    let found = await standings.of(state.registry, actors);
    if (found.some(({ agent }) => agent === undefined)) {
      // No agent is ever removed, so the store has lost its memory, and what it says of the others is worth no more.
      await recover();
      found = await standings.of(state.registry, actors);
    }
    for (const [i, one] of now.entries()) {
      const why = whyStop(one, found[i] ?? { agent: undefined, stopped: undefined });
      if (!all.has(one)) continue;
      if (why !== undefined) stopTold(one, why);
      else if (gone.has(one.live.intent)) await state.registry.startRun({ ...one.live, beatAt: env.now() });
    }
  }

  async function follow(signal: AbortSignal, after: number): Promise<void> {
    for (let cursor = after; !signal.aborted; ) {
      try {
        for await (const event of state.events.follow(signal, cursor)) {
          cursor = event.seq;
          const halt = readHalt(event);
          for (const one of halt ? [...all] : []) {
            const { agent, run } = one.live;
            if (event.seq <= one.since) continue;
            if (halt?.agents.includes(agent)) stopTold(one, `agent "${agent}" was ${halt.became}.`);
            else if (halt?.runs.includes(run)) stopTold(one, `run ${run} was ${halt.became}`);
          }
        }
      } catch {
        // Events are the quick way; without them the heartbeat finds the same a little later.
        await env.sleep(beatMs, signal).catch(() => undefined);
      }
    }
  }

  return {
    add(beating) {
      all.add(beating);
      if (going) return;
      const stop = new AbortController();
      answered();
      // Only the end of its last run rejects them.
      beat(stop.signal).catch(() => undefined);
      watchLedger(stop.signal).catch(() => undefined);
      going = { stop, followed: follow(stop.signal, beating.since) };
    },
    async remove(beating) {
      all.delete(beating);
      await telling;
      if (all.size > 0 || !going) return;
      const { stop, followed } = going;
      going = undefined;
      grace?.[Symbol.dispose]();
      stop.abort();
      await followed;
    },
  };
}

function stopFor(one: Beating, why: string | undefined): void {
  if (why !== undefined) one.stop(`Killed: ${why}`);
}

/** Why what runs may not go on; a retired agent may finish, unless another had started it: that one ends with its lead. */
export function whyStop({ live, tier }: Pick<Beating, 'live' | 'tier'>, standing: Standing): string | undefined {
  const { agent, stopped } = standing;
  if (stopped !== undefined) return `run ${live.run} was stopped: ${stopped}`;
  if (!agent) return `there is no agent "${live.agent}".`;
  if (agent.status === 'revoked' || agent.status === 'frozen') return `agent "${agent.name}" was ${agent.status}.`;
  if (agent.status === 'retired' && agent.parent !== undefined) {
    return `agent "${agent.name}" was retired: ${agent.reason ?? 'no reason given'}.`;
  }
  if (tierLevel(agent.tier) < tierLevel(tier)) return `agent "${agent.name}" was moved to ${agent.tier}.`;
  return undefined;
}
