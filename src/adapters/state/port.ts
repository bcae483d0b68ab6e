/**
 * Shared, fast, losable state. Never the system of record: what must survive is in the ledger, and state is rebuilt
 * from it. Every call throws AgovError STATE_UNAVAILABLE or STATE_CORRUPT when the store cannot answer, and the caller
 * denies.
 */
import type { Json, JsonObject } from '../../kernel/index.ts';
import type { Tier } from '../../schemas/index.ts';

export interface AgentRecord {
  readonly name: string;
  readonly tier: Tier;
  /** `frozen` is the reversible one: nothing runs in its name until an operator thaws it. */
  readonly status: 'active' | 'frozen' | 'retired' | 'revoked';
  /** The operator whose act made the record what it is. */
  readonly operator: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly changedAt: number;
  /** Why it was frozen, retired or revoked. */
  readonly reason?: string;
  /** The agent that started it, and above whom it never stands. Absent for those that an operator added. */
  readonly parent?: string;
}

/** A process group that runs as an agent now: the effect of one intent. */
export interface LiveRun {
  readonly intent: string;
  /** The run that the intent belongs to; a run may have several at once. */
  readonly run: string;
  readonly agent: string;
  /** `host/boot-id`, so that a pid is never looked up on the wrong machine or after a reboot. */
  readonly host: string;
  /** The governor process that drives the run, and the leader of the governed process group. */
  readonly governorPid: number;
  readonly processGroup: number;
  /** When the leader started, in clock ticks since boot: pids are used again, and nobody else's must be killed. */
  readonly processStart: string;
  /** What holds its processes together: without a sandbox, only the driver finds those that left the group. */
  readonly sandbox: 'bubblewrap' | 'none';
  readonly startedAt: number;
  /** Last heartbeat. */
  readonly beatAt: number;
}

/** In whose name something runs or wants to, and as part of which run. */
export interface Actor {
  readonly agent: string;
  readonly run: string;
}

/** Whether an actor may go on. */
export interface Standing {
  /** Undefined where the registry has none of that name. */
  readonly agent: AgentRecord | undefined;
  /** Why the run was stopped; undefined where it was not. */
  readonly stopped: string | undefined;
}

export interface StoppedRun {
  readonly run: string;
  readonly reason: string;
}

export interface Registry {
  put(agent: AgentRecord): Promise<void>;
  /** As `put`, all or none, at the price of one. */
  putAll(agents: readonly AgentRecord[]): Promise<void>;
  get(name: string): Promise<AgentRecord | undefined>;
  /** By name. */
  list(): Promise<readonly AgentRecord[]>;
  /** Of each, in the order of the question, by one look at the store. */
  standings(actors: readonly Actor[]): Promise<readonly Standing[]>;
  /** Marks a run for ever: nothing starts in it any more. As durable as `put`. */
  stopRun(stopped: StoppedRun): Promise<void>;
  /** By run. */
  stoppedRuns(): Promise<readonly StoppedRun[]>;
  startRun(run: LiveRun): Promise<void>;
  /** Heartbeats of these intents; those that are not registered come back. */
  beat(intents: readonly string[], at: number): Promise<readonly string[]>;
  endRun(intent: string): Promise<void>;
  /** Oldest first. */
  liveRuns(agent?: string): Promise<readonly LiveRun[]>;
}

export interface LockGrant {
  /** Fencing token: of two grants of one name the later has the greater, for ever, releases and restarts included. */
  readonly token: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface LockHolder extends LockGrant {
  readonly owner: string;
}

export interface HeldLock extends LockHolder {
  readonly name: string;
}

export interface Locks {
  /** Undefined while somebody else (or the same owner) holds it. */
  acquire(name: string, owner: string, ttlMs: number): Promise<LockGrant | undefined>;
  /** Extends to `ttlMs` from now. False when the grant is no longer the current one or has expired. */
  renew(name: string, token: number, ttlMs: number): Promise<boolean>;
  /** False when the grant is no longer the current one. */
  release(name: string, token: number): Promise<boolean>;
  holder(name: string): Promise<LockHolder | undefined>;
  /** All that are held now, by name. */
  held(): Promise<readonly HeldLock[]>;
}

export interface Count {
  readonly value: number;
  /** False when adding would have passed the limit; then nothing was added. */
  readonly accepted: boolean;
}

export interface Counters {
  /** Adds `amount` (a safe integer, may be negative) unless the sum would exceed `limit`. Atomic across processes. */
  add(name: string, amount: number, limit?: number): Promise<Count>;
  get(name: string): Promise<number>;
  reset(name: string): Promise<void>;
}

export interface BoardItem {
  readonly key: string;
  readonly value: Json;
  /** Grows by one at each change, and goes on from there after a removal; never 0 for what exists. */
  readonly version: number;
}

export interface Board {
  get(key: string): Promise<BoardItem | undefined>;
  /** Compare-and-set: writes only if the item's version is `expected` (0: must not exist). Undefined on a mismatch. */
  set(key: string, value: Json, expected: number): Promise<BoardItem | undefined>;
  /** Compare-and-remove. False on a mismatch. */
  remove(key: string, expected: number): Promise<boolean>;
  list(prefix: string): Promise<readonly BoardItem[]>;
}

export interface StateEvent {
  readonly seq: number;
  readonly at: number;
  readonly topic: string;
  readonly body: JsonObject;
}

export interface Events {
  /** The event's number; numbers grow by at least one over all topics. */
  publish(topic: string, body: JsonObject): Promise<number>;
  /** Oldest first, at most `limit` (default 1,000) with a number above `after`. */
  read(after: number, limit?: number): Promise<readonly StateEvent[]>;
  /** The number of the newest event, 0 where there is none. */
  last(): Promise<number>;
  /** Yields each event of any process after `after` (default: from now on), in order, until the signal aborts; then it returns. */
  follow(signal: AbortSignal, after?: number): AsyncIterable<StateEvent>;
}

export interface State extends AsyncDisposable {
  readonly registry: Registry;
  readonly locks: Locks;
  readonly counters: Counters;
  readonly board: Board;
  readonly events: Events;
}
