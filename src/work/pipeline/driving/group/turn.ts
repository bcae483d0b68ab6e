/**
 * At most one run of a concurrency group is driven at once, on all hosts that share a state store: its driver holds the
 * group's lock from before the first stage until it leaves the run. Those that wait stand in the store too, and go in the
 * order in which they began.
 */
import type { Locks } from '../../../../adapters/state/port.ts';
import { AgovError, isAgovError, type JsonObject } from '../../../../kernel/index.ts';
import type { Pipeline } from '../../../../schemas/index.ts';
import { runOf, runOwner } from '../../../agents/index.ts';
import { type RunBody, type RunState, readRun } from '../../journal/index.ts';
import { groupOf } from '../../language/index.ts';
import { type DriveParts, drive, type Halt } from '../drive.ts';
import { type Held, takeLocks } from '../locks/index.ts';
import { ticketPrefix, turnLock } from './names.ts';
import { heedOrders, type OrderParts, orderAway } from './orders.ts';

export interface TurnParts extends DriveParts, OrderParts {
  /** What it waits for, each time that this changes. */
  onTurn?(waits: string): void;
}

type Busy = NonNullable<Pipeline['concurrency']>['busy'];

interface Queue {
  readonly run: string;
  readonly group: string;
  readonly busy: Busy;
  readonly halt: Halt;
}

const lookEveryMs = 1000;

/** The group of a run with these parameters, by its name. @throws AgovError INPUT_INVALID */
export function turnOf(
  pipeline: Pipeline,
  params: JsonObject,
): { readonly group: string; readonly busy: Busy } | undefined {
  const group = groupOf(pipeline, params);
  return group === undefined || !pipeline.concurrency ? undefined : { group, busy: pipeline.concurrency.busy };
}

/** `drive`, in turn where the pipeline has a group. @throws GROUP_BUSY, LOCK_LOST */
export async function driveInTurn(parts: TurnParts, pipeline: Pipeline, run: string, halt: Halt): Promise<RunState> {
  const group = turnOf(pipeline, readRun(parts.ledger, run).params);
  if (!group) return drive(parts, pipeline, run, halt);
  const turn = await takeTurn(parts, { ...group, run, halt });
  if (turn === undefined) return readRun(parts.ledger, run);
  await using _turn = turn;
  await using _orders = heedOrders(parts, run);
  return await drive(parts, pipeline, run, { ...halt, lost: turn.lost });
}

/** Undefined where the run ended, or was stopped, before its turn came. */
async function takeTurn(parts: TurnParts, queue: Queue): Promise<Held | undefined> {
  const { ledger, env } = parts;
  const { run, group, busy, halt } = queue;
  const told = new Set<string>();
  const tell = (waits: string): void => {
    if (told.has(waits)) return;
    told.clear();
    told.add(waits);
    parts.onTurn?.(waits);
  };
  await using ticket = openTicket(parts, queue);
  for (const ordered = new Set<string>(); ; ) {
    const state = readRun(ledger, run);
    if (state.endedAt !== undefined || (await leftBefore(parts, state, halt))) return undefined;
    try {
      const ahead = busy === 'refuse' ? 0 : await ticket.ahead();
      const taken = ahead === 0 ? await takeLocks(parts, [turnLock(group)], runOwner(run)) : undefined;
      if (taken && !('busy' in taken)) return taken;
      const by = taken ? taken.by : (await parts.locks.holder(turnLock(group)))?.owner;
      const other = by === undefined ? undefined : runOf(by);
      if (busy === 'refuse') throw await refuse(parts, state, group, other);
      // Ids sort by when a run began: one that is resumed does not end those that came after it.
      if (busy === 'cancel' && other !== undefined && other < run && !ordered.has(other)) {
        await orderAway(parts, other, run);
        ordered.add(other);
      }
      tell(`waits its turn in group "${group}": ${place(ahead)}${other === undefined ? '' : `, after run ${other}`}`);
    } catch (error) {
      if (!isAgovError(error, 'STATE_UNAVAILABLE')) throw error;
      tell(`waits for the state store: ${error.what}`);
    }
    const signal = AbortSignal.any([halt.stop, halt.quit]);
    await env.sleep(lookEveryMs, signal).catch(() => undefined); // a stop is seen above
  }
}

function place(ahead: number): string {
  return ahead === 0 ? 'it is next' : `${ahead} before it`;
}

/** Stopped or cancelled before its turn: one that has done nothing ends; another is left for whoever resumes it. */
async function leftBefore({ ledger }: TurnParts, state: RunState, { stop, quit }: Halt): Promise<boolean> {
  const stopped = stop.aborted || quit.aborted;
  const fresh = state.drivers === 1;
  // What it did must be undone, and that takes its turn.
  if (!stopped && (state.cancelling === undefined || !fresh)) return false;
  const reason = state.cancelling ?? 'It was stopped before its turn came.';
  await append(ledger, state.run, fresh ? { step: 'ended', status: 'cancelled', reason } : left);
  return true;
}

const left: RunBody = { step: 'waiting', approvals: [] };

async function append(ledger: TurnParts['ledger'], run: string, body: RunBody): Promise<void> {
  await ledger.append({ kind: 'run', run, body: { ...body } });
}

async function refuse(
  { ledger }: TurnParts,
  state: RunState,
  group: string,
  other: string | undefined,
): Promise<AgovError> {
  const why = other === undefined ? 'Another run has just taken its turn.' : `Run ${other} is under way.`;
  const what = `The concurrency group "${group}" is busy.`;
  const fresh = state.drivers === 1;
  await append(ledger, state.run, fresh ? { step: 'ended', status: 'failed', reason: `${what} ${why}` } : left);
  const again = fresh ? 'run it again' : `agov pipeline resume ${state.run}`;
  return new AgovError('GROUP_BUSY', { what, why, fix: `Wait for it or cancel it, then ${again}.` });
}

interface Ticket extends AsyncDisposable {
  /** How many wait that began before. */
  ahead(): Promise<number>;
}

/** A place in the queue is a lock of its own, so that it ends with whoever waits. */
function openTicket(parts: TurnParts, { run, group }: Queue): Ticket {
  const prefix = ticketPrefix(group);
  let held: Held | undefined;
  const drop = async (): Promise<void> => {
    const last = held;
    held = undefined;
    await last?.[Symbol.asyncDispose]();
  };
  return {
    async ahead() {
      if (held?.lost.aborted) await drop();
      if (!held) {
        const taken = await takeLocks(parts, [prefix + run], runOwner(run));
        // Otherwise it is still there of a driver of this run that died.
        if (!('busy' in taken)) held = taken;
      }
      return (await waiting(parts.locks, prefix)).filter((other) => other < run).length;
    },
    [Symbol.asyncDispose]: drop,
  };
}

async function waiting(locks: Locks, prefix: string): Promise<readonly string[]> {
  return (await locks.held()).flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));
}
