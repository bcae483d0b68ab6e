/** Chores that are done again and again, each at its own pace, none twice at once. One that fails is told and tried again. */
import { type Env, isAgovError, isoTime, messageOf } from '../../kernel/index.ts';

export interface Chore {
  readonly name: string;
  readonly everyMs: number;
  /** What it did, one sentence; undefined when there was nothing to do. */
  run(): Promise<string | undefined>;
}

export interface ChoreStatus {
  readonly name: string;
  readonly runs: number;
  /** In a row, up to now. */
  readonly failures: number;
  readonly lastAt?: string;
  readonly lastMs?: number;
  /** When it last did something, and what. */
  readonly did?: string;
  readonly didAt?: string;
  readonly fault?: { readonly code: string; readonly what: string; readonly fix?: string };
  /** Since when it has been at it, where it is. */
  readonly runningSince?: string;
}

export type ChoreEvent =
  | { readonly chore: string; readonly at: string; readonly event: 'did'; readonly text: string }
  | { readonly chore: string; readonly at: string; readonly event: 'failed'; readonly text: string }
  | { readonly chore: string; readonly at: string; readonly event: 'recovered'; readonly text: string };

export interface Chores {
  status(): readonly ChoreStatus[];
  /** The longest that a chore has been at it now, in milliseconds. */
  longestMs(): number;
  /** Resolves when every chore has been tried once. */
  readonly first: Promise<void>;
  /** Resolves when the signal has aborted and nothing is under way any more. */
  readonly done: Promise<void>;
}

export interface ChoreOptions {
  readonly env: Env;
  /** Ends the rounds; what is under way is finished. */
  readonly signal: AbortSignal;
  /** Something was done; a failure after a success; a success after a failure. */
  readonly onEvent: (event: ChoreEvent) => void;
}

export function startChores(chores: readonly Chore[], { env, signal, onEvent }: ChoreOptions): Chores {
  const statuses = new Map<string, ChoreStatus>(chores.map(({ name }) => [name, { name, runs: 0, failures: 0 }]));
  const began = new Map<string, number>();

  const round = async ({ name, run }: Chore): Promise<void> => {
    const before = statuses.get(name) ?? { name, runs: 0, failures: 0 };
    const [from, lastAt] = [env.monotonic(), isoTime(env.now())];
    began.set(name, from);
    statuses.set(name, { ...before, runningSince: lastAt });
    const tell = (event: ChoreEvent['event'], text: string): void => onEvent({ chore: name, at: lastAt, event, text });
    const { fault: _, ...kept } = before;
    const ended = (more: Partial<ChoreStatus>): ChoreStatus => {
      const lastMs = Math.round(env.monotonic() - from);
      return { ...kept, runs: before.runs + 1, failures: 0, lastAt, lastMs, ...more };
    };
    try {
      const did = await run();
      if (before.failures > 0) tell('recovered', `It works again after ${before.failures} failures.`);
      if (did !== undefined) tell('did', did);
      statuses.set(name, ended(did === undefined ? {} : { did, didAt: lastAt }));
    } catch (error) {
      const fault = faultOf(error);
      if (before.fault?.what !== fault.what) tell('failed', fault.what);
      statuses.set(name, ended({ failures: before.failures + 1, fault }));
    } finally {
      began.delete(name);
    }
  };

  const rounds = async (chore: Chore): Promise<void> => {
    while (!signal.aborted) {
      // Some of the pause is chance, so that a fleet does not ask its servers in step.
      const pauseMs = chore.everyMs * (0.9 + (env.random(1)[0] ?? 0) / 1280);
      await env.sleep(pauseMs, signal).catch(() => undefined); // aborted: the loop's condition sees it
      if (!signal.aborted) await round(chore);
    }
  };

  const firsts = chores.map(round);
  return {
    status: () => [...statuses.values()],
    longestMs: () => Math.max(0, ...[...began.values()].map((from) => env.monotonic() - from)),
    first: Promise.all(firsts).then(() => undefined),
    done: Promise.all(chores.map((chore, i) => firsts[i]?.then(() => rounds(chore)))).then(() => undefined),
  };
}

function faultOf(error: unknown): NonNullable<ChoreStatus['fault']> {
  if (!isAgovError(error)) return { code: 'INTERNAL', what: messageOf(error).slice(0, 500) };
  return { code: error.code, what: error.what, ...(error.fix === undefined ? {} : { fix: error.fix }) };
}
