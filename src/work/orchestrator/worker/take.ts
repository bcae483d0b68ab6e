/**
 * One job, from its delivery to its result. It is begun only by a worker that trusts whoever signed it, understands all of
 * it, and has claimed it on its own record and at the server; whoever cannot be sure begins nothing.
 */
import type { z } from 'zod';
import type { Queue, Taken } from '../../../adapters/queue/port.ts';
import type { Approvals } from '../../../governance/approvals/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type Env, type IdSource, isAgovError, messageOf } from '../../../kernel/index.ts';
import type { Stage } from '../../../schemas/index.ts';
import { type KeepParts, keepArtifacts, type Perform, type Performed } from '../../pipeline/index.ts';
import {
  aboutOf,
  type Job,
  type JobBody,
  jobFormat,
  jobId,
  jobSchema,
  type Opened,
  type Result,
  readStage,
  type Said,
  type Seal,
} from '../messages/index.ts';
import type { Alarm } from '../violations.ts';
import type { Held, Leases } from './leases.ts';
import { sendArtifacts } from './send.ts';

export interface TakeParts {
  readonly env: Env;
  readonly ids: IdSource;
  readonly queue: Queue;
  readonly ledger: Ledger;
  readonly approvals: Approvals;
  readonly artifacts: Artifacts;
  readonly perform: Perform;
  readonly keep: KeepParts;
  readonly policyVersion: string;
  readonly worker: Result['worker'];
  readonly store: string;
  /** Bytes of artifacts that one result may send. */
  readonly mostBytes: number;
  readonly leaseMs: number;
  /** Of results, and of jobs. */
  readonly seal: Seal;
  open(sealed: string): Opened;
  onEvent(event: WorkerEvent): void;
}

export type WorkerEvent =
  | { readonly event: 'began' | 'ended' | 'late' | 'refused'; readonly job: string; readonly text: string }
  | { readonly event: 'server'; readonly text: string };

/** What keeps this worker from recording what it does: it takes nothing more. */
export const isFatal = (error: unknown): error is AgovError =>
  isAgovError(error, 'LEDGER_UNAVAILABLE', 'LEDGER_BROKEN', 'DISK_FULL', 'NOT_WRITABLE', 'KEY_INVALID');

const keepMs = 3 * 86_400_000;
const mostRounds = 3;
const againMs = 250;

/** @throws what `isFatal` knows */
export async function takeJob(
  parts: TakeParts,
  leases: Leases,
  alarm: Alarm,
  delivered: { readonly id: string; readonly text: string },
): Promise<Taken> {
  const opened = parts.open(delivered.text);
  if (!opened.ok) {
    const text = `Nobody whom this host trusts has signed it: ${opened.reason} See fleet.trusted in agov.yaml.`;
    parts.onEvent({ event: 'refused', job: delivered.id, text });
    const told = `Worker ${parts.worker.name}: nobody whom it trusts has signed the job. Put this host’s key under fleet.trusted in its agov.yaml.`;
    // For a coordinator whose key is only missing there; whoever forged it may read it too.
    await parts.queue.claims.remark(delivered.id, told).catch(() => undefined);
    alarm.raise('A job that nobody trusted has signed.', { job: delivered.id.slice(0, 128), reason: opened.reason });
    return 'done';
  }
  const read = jobSchema.safeParse(opened.value);
  const stage = read.success ? readStage(read.data) : { misread: misread(read.error) };
  // Another version of agov may understand it.
  if (!read.success || 'misread' in stage) {
    const why = 'misread' in stage ? stage.misread : '';
    const text = `It is not one that this version understands (${why}); it is left to others.`;
    parts.onEvent({ event: 'refused', job: delivered.id, text });
    return 'back';
  }
  const job = read.data;
  // A copy under another name would have a claim of its own.
  if (jobId(job) !== delivered.id || job.until < parts.env.now()) return 'done';
  await begin(parts, leases, job, stage, opened.by);
  return 'done';
}

function misread({ issues: [issue] }: z.ZodError): string {
  return issue ? `${issue.path.join('.')}: ${issue.message}` : 'it is malformed';
}

async function begin(parts: TakeParts, leases: Leases, job: Job, stage: Stage, by: string): Promise<void> {
  const id = jobId(job);
  const held = leases.hold(id, `${parts.worker.name}#${parts.ids()}`);
  try {
    const mine = await parts.queue.claims.claim(id, held.holder, { leaseMs: parts.leaseMs, keepMs });
    if (!mine || held.ended() !== undefined) return;
    parts.onEvent({ event: 'began', job: id, text: `${job.key}, attempt ${job.attempt} of run ${job.run}` });
    const taken = record(parts, job, stage, by);
    const said = await attempt(parts, held, job, stage, taken).catch((error: unknown): Said => saidOf(error));
    // This host has begun it before, whatever the server remembers: nothing was done now, and there is nothing to say.
    if (
      await taken.recorded.then(
        () => false,
        (error: unknown) => isAgovError(error, 'LEDGER_CLAIMED'),
      )
    )
      return;
    await tell(parts, held, job, said);
    if (said.did === 'lost' && held.ended() === undefined) throw fatalOf(said.reason);
  } finally {
    held.release();
  }
}

/** The claim on this host's record, and the key of the coordinator. */
interface Ordered {
  readonly entry: string;
  readonly recorded: Promise<void>;
  readonly by: string;
}

/** Not waited for: the intent rests on it, so that both go into one transaction and neither is there without it. */
function record({ ledger, ids, worker }: TakeParts, job: Job, stage: Stage, by: string): Ordered {
  const entry = ids();
  const body: JobBody = { step: 'taken', about: aboutOf(job), worker: worker.name, by };
  const draft = { kind: 'job', id: entry, run: job.run, agent: stage.agent, parent: job.token, body } as const;
  const recorded = ledger.append({ ...draft, claim: `job:${jobId(job)}` }).then(() => undefined);
  recorded.catch(() => undefined); // whoever waits for it gets it
  return { entry, recorded, by };
}

async function attempt(parts: TakeParts, held: Held, job: Job, stage: Stage, taken: Ordered): Promise<Said> {
  if (job.policyVersion !== parts.policyVersion) return { did: 'fault', fault: otherRules(parts.worker.name) };
  const { run, key, token, purse, locks } = job;
  const workspace = await parts.keep.workspace(stage.workspace);
  const begun = { attempt: job.attempt, id: token, after: taken.entry, recorded: taken.recorded };
  const used = new Set<string>();
  for (let round = 1; ; round++) {
    const acted = await parts.perform({ run, key, stage, workspace, purse, locks, begun, signal: held.signal });
    if (acted.verdict !== 'ask') return spoken(parts, job, stage, acted);
    const { hash } = acted.approval;
    if (round === mostRounds || used.has(hash) || !(await consent(parts, job, taken.by, acted.approval)))
      return question(acted, used);
    used.add(hash);
  }
}

/** Puts on this host's record what operators said at the coordinator. False where that brings the question no further. */
async function consent(
  { approvals, policyVersion }: TakeParts,
  job: Job,
  by: string,
  approval: Extract<Performed, { verdict: 'ask' }>['approval'],
): Promise<boolean> {
  const fresh = job.consents.filter(
    ({ hash, operator }) => hash === approval.hash && !approval.operators.includes(operator),
  );
  for (const { operator, user } of fresh)
    await approvals.approve(approval.id, { operator, user, via: `coordinator ${by}` }, policyVersion);
  return fresh.length > 0;
}

function question({ id, decision, approval }: Extract<Performed, { verdict: 'ask' }>, used: ReadonlySet<string>): Said {
  const { hash, intent, workspace, quorum, roles, reasons, tier = 'T0' } = approval;
  const asked = { hash, intent, workspace, quorum, roles: [...roles], reasons: [...reasons], tier };
  return { did: 'ask', id, decision, used: [...used], approval: { id: approval.id, ...asked } };
}

async function spoken(
  parts: TakeParts,
  job: Job,
  stage: Stage,
  acted: Exclude<Performed, { verdict: 'ask' }>,
): Promise<Said> {
  const { id, decision } = acted;
  if (acted.verdict === 'deny') return { did: 'deny', id, decision, ...(acted.code ? { code: acted.code } : {}) };
  const { artifacts = [], ...rest } = acted.outcome;
  const refs = artifacts.map(({ name, sha256, size }) => ({ name, sha256, size }));
  const kept =
    rest.status === 'ok'
      ? await keepArtifacts(parts.keep, stage, refs).then(
          (all) => all.map(({ name, sha256, size }) => ({ name, sha256, size })),
          (error: unknown) => faultOf(error),
        )
      : [];
  const all = [...refs, ...(Array.isArray(kept) ? kept : [])];
  const left = job.store === parts.store ? [] : await sendArtifacts(parts, all);
  const overtime = acted.overtime ? { overtime: acted.overtime } : {};
  return { did: 'allow', id, decision, outcome: { ...rest, artifacts: refs }, ...overtime, kept, left: [...left] };
}

/** Until the server has it, or the claim is no longer ours: then the result is late, and nobody wants it. */
async function tell(parts: TakeParts, held: Held, job: Job, said: Said): Promise<void> {
  const stopped = held.ended();
  // Killed for this worker's own end, not for the stage's fault.
  const told: Said = stopped === 'stopped' ? { did: 'lost', reason: `Worker ${parts.worker.name} was stopped.` } : said;
  const result: Result = { v: jobFormat, about: aboutOf(job), worker: parts.worker, store: parts.store, said: told };
  const sealed = await parts.seal(result);
  const until = parts.env.monotonic() + 10 * parts.leaseMs;
  for (;;) {
    try {
      const taken =
        held.ended() !== 'lost' &&
        (await parts.queue.claims.finish({ id: held.id, run: job.run }, held.holder, sealed));
      const event = taken ? 'ended' : 'late';
      return parts.onEvent({
        event,
        job: held.id,
        text: taken ? told.did : 'It had been given up: what it says is not taken.',
      });
    } catch (error) {
      if (parts.env.monotonic() > until) return parts.onEvent({ event: 'late', job: held.id, text: messageOf(error) });
    }
    await parts.env.sleep(againMs);
  }
}

function saidOf(error: unknown): Said {
  // Whether the effect came before the record failed cannot be told.
  if (isFatal(error)) return { did: 'lost', reason: messageOf(error).slice(0, 2000) };
  return { did: 'fault', fault: faultOf(error) };
}

function faultOf(error: unknown): Extract<Said, { did: 'fault' }>['fault'] {
  if (!isAgovError(error)) return { code: 'INTERNAL', what: messageOf(error).slice(0, 4000) };
  const { code, what, why, fix } = error;
  const cut = (text: string): string => text.slice(0, 4000);
  return { code, what: cut(what), ...(why ? { why: cut(why) } : {}), ...(fix ? { fix: cut(fix) } : {}) };
}

function fatalOf(reason: string): AgovError {
  return new AgovError('LEDGER_UNAVAILABLE', { what: reason, fix: 'See "agov doctor", then start the worker anew.' });
}

function otherRules(name: string): Extract<Said, { did: 'fault' }>['fault'] {
  return {
    code: 'CONFLICT',
    what: `Worker "${name}" decides by other rules than the host that runs the pipeline.`,
    why: 'Their policies, tiers or lists differ, so that what one allows the other may not.',
    fix: 'Bring agov.yaml, the tiers and the policies of both hosts to one commit, then start the worker anew.',
  };
}
