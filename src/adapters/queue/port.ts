/**
 * Carries work from those who order it to those who do it, on any number of hosts. A delivery may come late, twice or
 * never: what makes a job be begun at most once is its claim, which is given to one holder and to nobody after. Nothing
 * here is trusted: what a job or a result says counts by its signature alone. Calls throw AgovError STATE_UNAVAILABLE or
 * STATE_CORRUPT when the server cannot answer; each may be made again.
 */

export interface QueuedJob {
  /** Names it for ever: letters, digits, `-` and `.`, 8 to 128 of them. */
  readonly id: string;
  /** To whom its result goes. */
  readonly run: string;
  readonly text: string;
}

/** `back`: not for this one; others may have it, and this one again a little later. */
export type Taken = 'done' | 'back';

export interface TakeOptions {
  readonly concurrency: number;
  onJob(job: Omit<QueuedJob, 'run'>): Promise<Taken>;
  /** What is wrong with the server, once in a while; it is asked on. */
  onFault(error: Error): void;
}

export interface Taking {
  /** Takes nothing new. */
  pause(): void;
  resume(): void;
  /** Takes nothing new, and resolves when all that was taken has ended. */
  close(): Promise<void>;
}

export interface Delivery {
  /** Again with the same id changes nothing. */
  give(jobs: readonly QueuedJob[]): Promise<void>;
  take(options: TakeOptions): Taking;
}

export interface Claim {
  /** Undefined while nobody has begun it. */
  readonly holder: string | undefined;
  /** Milliseconds, by the server's clock, in which the holder may go on unless it renews; 0 when that is over. */
  readonly leftMs: number;
  /** Nobody may begin it any more, and no result of it is taken. */
  readonly fenced: boolean;
  /** As the holder gave it; not verified. */
  readonly result: string | undefined;
  /** Whether a copy waits, or is with a worker. */
  readonly queued: boolean;
  /** What somebody left to be told about it, for people; anybody may have. */
  readonly remark: string | undefined;
}

export interface Renewed {
  /** No longer held: whoever does them must stop. */
  readonly lost: readonly string[];
  readonly cancelled: readonly string[];
}

export interface Claims {
  /** Once for ever (`keepMs`) and for one holder, who may ask again. False where another has it, or it was fenced. */
  claim(id: string, holder: string, lease: { readonly leaseMs: number; readonly keepMs: number }): Promise<boolean>;
  renew(claims: readonly { readonly id: string; readonly holder: string }[], leaseMs: number): Promise<Renewed>;
  /** False where the claim is no longer the holder's: the result is late, and is not kept. */
  finish(job: Omit<QueuedJob, 'text'>, holder: string, result: string): Promise<boolean>;
  look(ids: readonly string[]): Promise<readonly Claim[]>;
  /**
   * Bars the job for ever, unless its holder's lease still holds or it has a result other than `disregarded`, which was
   * found to be nobody's. What it is then.
   */
  fence(id: string, keepMs: number, disregarded?: string): Promise<Claim>;
  /** Tells the holder to stop; where there is none, bars the job. What it is then. */
  cancel(id: string, keepMs: number): Promise<Claim>;
  /** Leaves a word about a job that its taker may not begin; it is forgotten in an hour. */
  remark(id: string, text: string): Promise<void>;
  /** The results have been read and recorded: only that the jobs were done is kept. */
  settle(ids: readonly string[]): Promise<void>;
  /** Results of a run as they come, and some that came before. Ends when the signal aborts; goes on after an outage. */
  results(run: string, signal: AbortSignal): AsyncIterable<{ readonly id: string; readonly result: string }>;
}

export interface WorkerRecord {
  readonly name: string;
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly started: string;
  readonly version: string;
  /** Of the jobs that it understands. */
  readonly format: number;
  /** Name and id of the key that signs its results. */
  readonly key: string;
  readonly concurrency: number;
  readonly running: number;
  /** Milliseconds since the epoch, by its own clock. */
  readonly since: number;
}

/** `drain`: end what runs, then leave. */
export type Order = 'go' | 'pause' | 'drain';

export interface ListedWorker extends WorkerRecord {
  /** Since its last word, by the server's clock. */
  readonly silentMs: number;
  readonly order: Order;
}

/** Whom an order is for: one worker, or all that are and will be. */
export type OrderedWorker = { readonly name: string } | 'all';

export interface Fleet {
  /** Says that it is there; what it is ordered to do. */
  announce(record: WorkerRecord): Promise<Order>;
  /** Also ends an order to drain. */
  leave(name: string): Promise<void>;
  /** By name. Those that have not been heard of for a day are left out. */
  list(): Promise<readonly ListedWorker[]>;
  /** Until another order. */
  order(worker: OrderedWorker, order: Order): Promise<void>;
}

/** Bytes on their way from one host to another, by digest, for a while. What comes out is not verified. */
export interface Parcels {
  put(sha256: string, bytes: Uint8Array, ttlMs: number): Promise<void>;
  /** Undefined where it is not there, or not whole. */
  get(sha256: string): Promise<Buffer | undefined>;
}

export interface Queue extends AsyncDisposable {
  readonly delivery: Delivery;
  readonly claims: Claims;
  readonly fleet: Fleet;
  readonly parcels: Parcels;
}
