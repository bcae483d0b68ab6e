/**
 * A run is its entries in the ledger. Its state is their fold, and what comes next is a function of that state: there is
 * nothing else to fall out of step with.
 */
import { z } from 'zod';
import { governorMarkSchema } from '../../governance/governor/index.ts';
import { everyEntry, type Ledger } from '../../governance/ledger/index.ts';
import { AgovError } from '../../kernel/index.ts';
import { type ArtifactRef, type Entry, nameSchema, type Pipeline, sha256Schema } from '../../schemas/index.ts';

export const runBodySchema = z.discriminatedUnion('step', [
  z.strictObject({
    step: z.literal('started'),
    pipeline: nameSchema,
    file: z.string(),
    /** Digest of the pipeline's text, which is kept as an artifact: a resumed run goes on with exactly that. */
    source: sha256Schema,
    operator: nameSchema,
    user: z.string(),
    driver: governorMarkSchema,
  }),
  z.strictObject({ step: z.literal('resumed'), operator: nameSchema, user: z.string(), driver: governorMarkSchema }),
  z.strictObject({ step: z.literal('waiting'), approvals: z.array(z.string()) }),
  z.strictObject({
    step: z.literal('ended'),
    status: z.enum(['ok', 'failed', 'cancelled']),
    reason: z.string().optional(),
  }),
]);
export type RunBody = z.infer<typeof runBodySchema>;

/** The order of an operator to kill the run: from it on the run is over, whatever its driver still writes. */
const killSchema = z.object({ step: z.literal('ordered'), operator: z.string(), reason: z.string() });

export const stageBodySchema = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('started'), stage: z.string(), attempt: z.int().min(1) }),
  z.strictObject({
    step: z.literal('ended'),
    stage: z.string(),
    attempt: z.int().min(1),
    status: z.enum(['ok', 'failed', 'denied']),
    reason: z.string().optional(),
    durationMs: z.number(),
  }),
]);
export type StageBody = z.infer<typeof stageBodySchema>;

export interface StageState {
  /** `open`: started and not ended, by a driver that may be dead. */
  readonly status: 'pending' | 'open' | 'ok' | 'failed' | 'denied';
  /** 0 before the first. */
  readonly attempt: number;
  /** The entry that started the last attempt: the parent of its intents. */
  readonly startedEntry: string | undefined;
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
  readonly durationMs: number | undefined;
  readonly reason: string | undefined;
  readonly artifacts: readonly ArtifactRef[];
}

export interface RunState {
  readonly run: string;
  /** Position of the last entry that the state knows. */
  readonly seq: number;
  readonly pipeline: string;
  readonly file: string;
  readonly source: string;
  readonly operator: string;
  readonly startedAt: string;
  readonly endedAt: string | undefined;
  readonly status: 'running' | 'waiting' | 'ok' | 'failed' | 'cancelled';
  readonly reason: string | undefined;
  /** How many drivers the run has had, and the last one. */
  readonly drivers: number;
  readonly driver: z.infer<typeof governorMarkSchema>;
  readonly stages: ReadonlyMap<string, StageState>;
}

export const pendingStage: StageState = {
  status: 'pending',
  attempt: 0,
  startedEntry: undefined,
  startedAt: undefined,
  endedAt: undefined,
  durationMs: undefined,
  reason: undefined,
  artifacts: [],
};

/** The run's state by all its entries, or by those since `known` was read. @throws NOT_FOUND */
export function readRun(ledger: Ledger, run: string, known?: RunState): RunState {
  const state = foldRun(everyEntry(ledger, { kinds: ['run', 'stage', 'kill'], run, after: known?.seq ?? -1 }), known);
  if (state) return state;
  throw new AgovError('NOT_FOUND', { what: `There is no pipeline run ${run}.`, fix: 'See "agov pipeline list".' });
}

function foldRun(entries: Iterable<Entry>, known?: RunState): RunState | undefined {
  let state = known;
  for (const entry of entries) {
    if (entry.kind === 'stage' && state) state = advanceStage(state, entry);
    if (entry.kind === 'run') state = advanceRun(state, entry);
    if (entry.kind === 'kill' && state) state = killRun(state, entry);
    if (state) state = { ...state, seq: entry.seq };
  }
  return state;
}

function advanceRun(state: RunState | undefined, entry: Entry): RunState | undefined {
  const body = runBodySchema.parse(entry.body);
  if (body.step === 'started') {
    const { pipeline, file, source, operator, driver } = body;
    return {
      run: entry.run ?? entry.id,
      seq: entry.seq,
      ...{ pipeline, file, source, operator, driver },
      startedAt: entry.at,
      endedAt: undefined,
      status: 'running',
      reason: undefined,
      drivers: 1,
      stages: new Map(),
    };
  }
  if (!state || state.endedAt !== undefined) return state;
  switch (body.step) {
    case 'resumed':
      return { ...state, status: 'running', drivers: state.drivers + 1, driver: body.driver };
    case 'waiting':
      return { ...state, status: 'waiting' };
    case 'ended':
      return { ...state, status: body.status, reason: body.reason, endedAt: entry.at };
  }
}

function killRun(state: RunState, { body, at }: Entry): RunState {
  const order = killSchema.safeParse(body).data;
  if (!order || state.endedAt !== undefined) return state;
  const reason = `Killed by ${order.operator}: ${order.reason}`;
  return { ...state, status: 'cancelled', reason, endedAt: at };
}

function advanceStage(state: RunState, entry: Entry): RunState {
  const body = stageBodySchema.parse(entry.body);
  const before = state.stages.get(body.stage) ?? pendingStage;
  const after: StageState =
    body.step === 'started'
      ? { ...pendingStage, status: 'open', attempt: body.attempt, startedEntry: entry.id, startedAt: entry.at }
      : {
          ...before,
          status: body.status,
          reason: body.reason,
          durationMs: body.durationMs,
          endedAt: entry.at,
          artifacts: entry.artifacts ?? [],
        };
  return { ...state, stages: new Map(state.stages).set(body.stage, after) };
}

export type Next =
  | { readonly do: 'start'; readonly stages: readonly string[] }
  | { readonly do: 'wait' }
  /** Nothing can go on before an operator has answered. */
  | { readonly do: 'park' }
  | { readonly do: 'end'; readonly status: 'ok' | 'failed'; readonly reason: string | undefined };

/**
 * What to do now: which stages to start, given those `busy` in this driver and those `parked` at an unanswered approval.
 * After a failure nothing new starts, and the run ends when the last busy stage has.
 */
export function next(
  pipeline: Pipeline,
  state: RunState,
  busy: ReadonlySet<string>,
  parked: ReadonlySet<string>,
): Next {
  const stages = Object.entries(pipeline.stages);
  const statusOf = (name: string): StageState['status'] => (state.stages.get(name) ?? pendingStage).status;
  const failed = stages.find(([name]) => statusOf(name) === 'failed' || statusOf(name) === 'denied');
  if (failed) {
    if (busy.size > 0) return { do: 'wait' };
    const [name] = failed;
    return { do: 'end', status: 'failed', reason: `Stage "${name}": ${state.stages.get(name)?.reason ?? 'it failed'}` };
  }
  const ready = stages
    .filter(([name, { needs }]) => {
      const status = statusOf(name);
      const free = (status === 'pending' || status === 'open') && !busy.has(name) && !parked.has(name);
      return free && needs.every((need) => statusOf(need) === 'ok');
    })
    .map(([name]) => name);
  if (ready.length > 0) return { do: 'start', stages: ready };
  if (busy.size > 0) return { do: 'wait' };
  if (parked.size > 0) return { do: 'park' };
  const stuck = stages.find(([name]) => statusOf(name) !== 'ok');
  if (stuck) return { do: 'end', status: 'failed', reason: `Stage "${stuck[0]}" needs what never comes.` };
  return { do: 'end', status: 'ok', reason: undefined };
}
