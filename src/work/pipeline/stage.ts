/** One attempt at one stage: its intent, what an operator says to it, its artifacts, its end in the journal. */
import { constants, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Tool } from '../../adapters/tools/port.ts';
import type { PendingApproval } from '../../governance/approvals/index.ts';
import type { Artifacts } from '../../governance/evidence/index.ts';
import { type Acted, type BeginOptions, type Channel, type End, isInside } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { AgovError, type Env, isAgovError, messageOf, parseDuration } from '../../kernel/index.ts';
import type { ArtifactRef, Decision, Entry, Stage } from '../../schemas/index.ts';
import type { Exec, UseTool } from '../agents/index.ts';
import type { StageBody, StageState } from './journal.ts';

/** What the operators say to an approval: `approved` means that it has been given, and the intent may be tried again. */
export type Answer = 'approved' | 'denied' | 'later';

export interface StageParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly artifacts: Artifacts;
  readonly exec: Exec;
  readonly useTool: UseTool;
  readonly tools: ReadonlyMap<string, Tool>;
  /** The real path of a stage's workspace. @throws WORKSPACE_INVALID */
  workspace(folder: string): Promise<string>;
  /** Absolute paths of which nothing becomes an artifact: no agent may read them. */
  readonly hidden: readonly string[];
  /** An abort of `signal` means `later`. */
  ask(approval: PendingApproval, stage: string, signal: AbortSignal): Promise<Answer>;
  output?(stage: string, stream: 'stdout' | 'stderr'): Writable | undefined;
}

export type StageEnd =
  | { readonly status: 'ok' | 'failed' | 'denied'; readonly reason: string | undefined }
  | { readonly status: 'parked'; readonly approval: string };

export interface StageJob {
  readonly run: string;
  readonly name: string;
  readonly stage: Stage;
  /** From the journal. */
  readonly before: StageState;
  readonly signal: AbortSignal;
}

/** More rounds than operators: each `approved` must bring the intent forward, or something is wrong. */
const maxRounds = 10;

export async function runStage(parts: StageParts, job: StageJob): Promise<StageEnd> {
  const began = parts.env.monotonic();
  const { attempt, entry, finished } = await startAttempt(parts, job);
  const end = finished ?? (await attemptOnce(parts, job, entry));
  if (end.status === 'parked') return end;
  const { status, reason } = meet(job.stage.expect, end);
  const collected =
    status === 'ok'
      ? await collect(parts, job, end.artifacts).catch(cannotKeep)
      : { artifacts: end.artifacts, missing: undefined };
  const body: StageBody = {
    step: 'ended',
    stage: job.name,
    attempt,
    status: collected.missing ? 'failed' : status,
    ...optional(collected.missing ?? reason),
    durationMs: Math.round(parts.env.monotonic() - began),
  };
  await parts.ledger.append({
    kind: 'stage',
    run: job.run,
    agent: job.stage.agent,
    parent: entry,
    body,
    claim: `stage:${job.run}:${job.name}:${attempt}:ended`,
    ...(collected.artifacts.length > 0 ? { artifacts: [...collected.artifacts] } : {}),
  });
  return { status: body.status, reason: body.reason };
}

interface Ended {
  readonly status: 'ok' | 'failed' | 'denied';
  readonly reason: string | undefined;
  readonly artifacts: readonly ArtifactRef[];
}

/**
 * A fresh attempt gets an entry that claims its number. An open one is taken up again when its driver died before the
 * effect, or after the outcome; when the outcome is unknown the next attempt begins.
 */
async function startAttempt(
  parts: StageParts,
  { run, name, stage, before }: StageJob,
): Promise<{ attempt: number; entry: string; finished?: Ended }> {
  if (before.status === 'open' && before.startedEntry !== undefined) {
    const outcome = lastOutcome(parts.ledger, before.startedEntry);
    const taken = { attempt: before.attempt, entry: before.startedEntry };
    if (!outcome) return taken;
    if (outcome.body['status'] !== 'unknown') return { ...taken, finished: endOf(outcome) };
  }
  const attempt = before.attempt + 1;
  const body: StageBody = { step: 'started', stage: name, attempt };
  const claim = `stage:${run}:${name}:${attempt}:started`;
  const { id } = await parts.ledger.append({ kind: 'stage', run, agent: stage.agent, body, claim });
  return { attempt, entry: id };
}

function lastOutcome(ledger: Ledger, startedEntry: string) {
  const allowed = ledger
    .query({ kinds: ['intent'], parent: startedEntry })
    .filter((intent) => (intent.body['decision'] as Decision).verdict === 'allow') // written by the governor alone
    .at(-1);
  return allowed ? ledger.query({ kinds: ['outcome'], parent: allowed.id })[0] : undefined;
}

/** The end of an attempt whose effect is on record already: it must not be repeated. */
function endOf({ body, artifacts = [] }: Entry): Ended {
  const { status, reason } = body;
  return {
    status: status === 'ok' ? 'ok' : 'failed',
    reason: typeof reason === 'string' ? reason : undefined,
    artifacts,
  };
}

async function attemptOnce(
  parts: StageParts,
  job: StageJob,
  entry: string,
): Promise<Ended | (StageEnd & { status: 'parked' })> {
  try {
    for (let round = 0; round < maxRounds; round++) {
      const acted = await act(parts, job, entry);
      if (acted.verdict === 'allow') return ended(acted.outcome);
      const reason = acted.decision.reasons[0] ?? 'No policy permits it.';
      if (acted.verdict === 'deny') return { status: 'denied', reason, artifacts: [] };
      const answer = await parts.ask(acted.approval, job.name, job.signal);
      if (answer === 'denied') return { status: 'denied', reason: 'An operator said no.', artifacts: [] };
      if (answer === 'later') return { status: 'parked', approval: acted.approval.id };
    }
    return { status: 'failed', reason: `It was approved ${maxRounds} times and asked again.`, artifacts: [] };
  } catch (error) {
    // A stage that cannot be tried has failed; what stops the record itself stops the run.
    if (stopsTheRun(error)) throw error;
    return { status: 'failed', reason: messageOf(error), artifacts: [] };
  }
}

async function act(parts: StageParts, job: StageJob, parent: string): Promise<Acted<unknown>> {
  const { stage, name, signal } = job;
  const channel: Channel = { agent: stage.agent, run: job.run, workspace: await parts.workspace(stage.workspace) };
  const begin: BeginOptions = { parent, ...(stage.gate === 'approval' ? { requireApprovals: 1 } : {}) };
  const limits = stage.timeout === undefined ? {} : { timeoutMs: parseDuration(stage.timeout) };
  if (stage.uses !== undefined) {
    const tool = parts.tools.get(stage.uses);
    if (!tool) throw new AgovError('NOT_FOUND', { what: `There is no tool "${stage.uses}".` });
    return parts.useTool({ channel, tool, args: stage.with ?? {}, begin, signal, ...limits });
  }
  const stdout = parts.output?.(name, 'stdout');
  const stderr = parts.output?.(name, 'stderr');
  return parts.exec({
    channel,
    argv: commandOf(stage),
    secrets: stage.secrets,
    stdin: 'none',
    begin,
    signal,
    ...limits,
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
  });
}

function commandOf({ run }: Stage): readonly [string, ...string[]] {
  if (typeof run === 'string') return ['sh', '-ceu', run];
  const [program, ...args] = run ?? [];
  if (program === undefined)
    throw new AgovError('INTERNAL', { what: 'A stage without command came through validation.' });
  return [program, ...args];
}

function ended({ status, reason, artifacts }: End): Ended {
  return { status: status === 'ok' ? 'ok' : 'failed', reason, artifacts: artifacts ?? [] };
}

/** What was expected decides what is well: a stage that must be refused has failed when it was not. */
function meet(
  expect: Stage['expect'],
  { status, reason }: Ended,
): { status: Ended['status']; reason: string | undefined } {
  if (expect === 'ok') return { status, reason };
  if (status === 'denied') return { status: 'ok', reason: `Refused, as expected: ${reason ?? ''}` };
  return { status: 'failed', reason: 'The rules were expected to refuse this, and did not.' };
}

/** The stage's declared artifacts: standard output by its digest, files by their bytes. */
async function collect(
  parts: StageParts,
  { stage }: StageJob,
  effects: readonly ArtifactRef[],
): Promise<{ artifacts: readonly ArtifactRef[]; missing: string | undefined }> {
  const artifacts = stage.uses === undefined ? [] : [...effects];
  const workspace = await parts.workspace(stage.workspace);
  for (const [name, source] of Object.entries(stage.artifacts)) {
    const stdout = effects.find((kept) => kept.name === 'stdout');
    const kept = source === 'stdout' ? stdout && { ...stdout, name } : await keepFile(parts, workspace, source, name);
    if (!kept) return { artifacts, missing: `Artifact "${name}" (${source}) was not made.` };
    artifacts.push(kept);
  }
  return { artifacts, missing: undefined };
}

const maxArtifact = 256 * 1024 * 1024;

async function keepFile(
  { artifacts, hidden }: StageParts,
  workspace: string,
  source: string,
  name: string,
): Promise<ArtifactRef | undefined> {
  const path = await realpath(join(workspace, source)).catch(() => undefined); // absent: told by the caller
  if (path === undefined) return undefined;
  // A pipe in its place would make an ordinary open wait for ever; a socket cannot be opened at all.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  await using file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return undefined;
  // The agent may have left a symlink to what is not its own, and another may swap a folder on the way at any moment:
  // what counts is the file that was opened.
  const opened = await readlink(`/proc/self/fd/${file.fd}`);
  if (!isInside(opened, workspace) || hidden.some((at) => isInside(opened, at))) return undefined;
  const stat = await file.stat();
  if (!stat.isFile()) throw new AgovError('INPUT_INVALID', { what: `Artifact ${source} is not a regular file.` });
  if (stat.size > maxArtifact) {
    throw new AgovError('INPUT_INVALID', { what: `Artifact ${source} is over ${maxArtifact} bytes.` });
  }
  return await artifacts.put(name, await file.readFile());
}

/** A promised artifact that cannot be kept fails its stage; thrown on, it would leave a run that no resume can end. */
function cannotKeep(error: unknown): { artifacts: readonly ArtifactRef[]; missing: string } {
  if (stopsTheRun(error)) throw error;
  return { artifacts: [], missing: messageOf(error) };
}

function stopsTheRun(error: unknown): boolean {
  return !isAgovError(error) || isAgovError(error, 'LEDGER_UNAVAILABLE', 'DISK_FULL', 'INTERNAL', 'NOT_WRITABLE');
}

function optional(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason: reason.slice(0, 2000) };
}
