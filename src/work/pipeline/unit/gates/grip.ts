/** The locks of one unit, while it has them. They are let go while operators are asked, and taken again after. */
import type { Locks } from '../../../../adapters/state/port.ts';
import { type Env, isAgovError } from '../../../../kernel/index.ts';
import { lockOwner, runOf } from '../../../agents/index.ts';
import { type Held, lockNameOf, stageLock, takeLocks } from '../../driving/locks/index.ts';
import { locksOf, stageOf } from '../../language/index.ts';
import { type Ended, failedOn, stopsTheRun, type UnitJob } from '../attempt/index.ts';

export interface GripParts {
  readonly env: Env;
  readonly locks: Locks;
  /** How long the state store may be away before locks that are held count as lost. */
  readonly graceMs: number;
}

/** Somebody else has one of them, and none was taken. */
export interface HeldBack {
  readonly status: 'held';
  readonly reason: string;
}

export interface Grip extends AsyncDisposable {
  /** Fencing tokens by name; empty while nothing is held. */
  readonly tokens: Readonly<Record<string, number>>;
  /** One of them aborts when what is held is lost, by the unit or by its run. */
  readonly lost: readonly AbortSignal[];
  /** Why it could not have them; undefined where it has, or needs none. */
  take(): Promise<HeldBack | Ended | undefined>;
  letGo(): Promise<void>;
}

export function openGrip(parts: GripParts, job: UnitJob): Grip {
  let held: Held | undefined;
  const letGo = async (): Promise<void> => {
    const last = held;
    held = undefined;
    await last?.[Symbol.asyncDispose]();
  };
  return {
    get tokens() {
      const tokens = Object.entries(held?.tokens ?? {});
      return Object.fromEntries(tokens.map(([name, token]) => [lockNameOf(name), token]));
    },
    get lost() {
      return held ? [held.lost, ...job.lost] : job.lost;
    },
    async take() {
      const { pipeline, unit, state } = job;
      const { agent, locks } = stageOf(pipeline, unit.stage);
      if (locks === undefined) return undefined;
      try {
        const names = locksOf(pipeline, state, unit).map(stageLock);
        const taken = await takeLocks(parts, names, lockOwner({ agent, run: state.run }));
        if ('busy' in taken) return heldBack(lockNameOf(taken.busy), taken.by, state.run);
        held = taken;
        return undefined;
      } catch (error) {
        // Nothing starts without them; an outage that passes is no reason to fail what has not begun.
        if (isAgovError(error, 'STATE_UNAVAILABLE'))
          return { status: 'held', reason: `waits for its locks: ${error.what}` };
        if (stopsTheRun(error)) throw error;
        return failedOn(error);
      }
    },
    letGo,
    [Symbol.asyncDispose]: letGo,
  };
}

function heldBack(lock: string, by: string | undefined, run: string): HeldBack {
  const other = by === undefined ? undefined : runOf(by);
  const who = other === run ? 'another stage of this run' : other === undefined ? by : `run ${other}`;
  return { status: 'held', reason: `waits for lock "${lock}"${who === undefined ? '' : `, held by ${who}`}` };
}
