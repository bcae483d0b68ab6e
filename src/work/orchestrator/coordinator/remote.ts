/**
 * Performs by workers: gives each attempt as a signed job, and takes back what a trusted worker has signed of exactly
 * that attempt. The journal stays here: what a job came to counts once its end is in this ledger.
 */
import type { Queue, QueuedJob } from '../../../adapters/queue/port.ts';
import type { Approvals } from '../../../governance/approvals/index.ts';
import { readSpent } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import {
  AgovError,
  type Env,
  ERROR_TABLE,
  type ErrorCode,
  isAgovError,
  type JsonObject,
  messageOf,
} from '../../../kernel/index.ts';
import type { Decision } from '../../../schemas/index.ts';
import type { CommandJob, Perform, Performed } from '../../pipeline/index.ts';
import {
  type About,
  batching,
  type Job,
  jobFormat,
  jobId,
  type Opened,
  type Result,
  type Seal,
} from '../messages/index.ts';
import { createAlarm } from '../violations.ts';
import { fetchArtifacts } from './fetch.ts';
import { createHints } from './hints.ts';
import { askHere, otherRules, pastOf } from './questions.ts';
import { type Arrived, openWaiting } from './waiting.ts';

export interface RemoteParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly queue: Queue;
  /** How long a worker may be silent. */
  readonly leaseMs: number;
  readonly approvals: Approvals;
  readonly artifacts: Artifacts;
  readonly policyVersion: string;
  /** Of agov. */
  readonly version: string;
  /** Names this host's folder of artifacts. */
  readonly store: string;
  /** Of jobs, and of results. */
  readonly seal: Seal;
  open(sealed: string): Opened;
  /** For the person who waits. */
  onNote(text: string): void;
}

export interface Remote extends AsyncDisposable {
  readonly perform: Perform;
}

/** After that nobody begins a job, so that an old copy of one begins nothing; claims are kept for longer. */
const lifeMs = 2 * 86_400_000;
const mostAtOnce = 64;
const againMs = 500;

export function openRemote(parts: RemoteParts, run: string): Remote {
  const { env, ledger, queue, policyVersion } = parts;
  const hints = createHints(parts);
  const alarm = createAlarm(ledger, env);
  const waiting = openWaiting(
    {
      ...{ queue, env, leaseMs: parts.leaseMs, open: parts.open, onIdle: hints.idle, onSilence: hints.silent },
      onForged: (about, reason) =>
        alarm.raise('A result that no trusted worker has signed.', { ...about, reason }, about.token),
    },
    run,
  );
  const give = batching(mostAtOnce, async (jobs: readonly QueuedJob[]) => {
    await queue.delivery.give(jobs);
    return jobs.map(() => undefined);
  });
  /** Attempts that have asked: what was answered is in the ledger. */
  const asking = new Set<string>();

  const perform: Perform = async (job) => {
    const { key, begun, signal, stage } = job;
    await begun.recorded;
    const first = !begun.taken && !asking.has(begun.id);
    const past = first ? { round: 0, given: false, consents: [] } : await pastOf(parts, begun.id, begun.taken === true);
    const about: About = { run, key, attempt: begun.attempt, token: begun.id, round: past.round };
    if ('open' in past)
      return { verdict: 'ask', id: past.open.id, decision: askedAgain(past.open), approval: past.open };
    const awaited = waiting.expect(about, signal);
    // One that is in the queue already, or was, is not given again: whether it was begun is for its claim to say.
    if (!past.given) {
      await hand(job, { ...about, consents: [...past.consents] }).catch(async (error: unknown) => {
        awaited.forget();
        // The server may have it all the same.
        throw await lose(about, stage.agent, messageOf(error));
      });
    }
    awaited.given();
    return answer(about, stage, await awaited.arrived);
  };

  /** Until it is in the queue, or the wait is over: to give it twice is as good as once. */
  async function hand(
    { stage, locks, signal, purse }: CommandJob,
    { consents, ...about }: About & Pick<Job, 'consents'>,
  ) {
    const job: Job = {
      ...{ v: jobFormat, agov: parts.version, ...about, policyVersion, store: parts.store, consents },
      locks: { ...locks },
      // JSON, as the file it comes from.
      stage: JSON.parse(JSON.stringify(stage)) as JsonObject,
      ...(purse ? { purse } : {}),
      until: env.now() + lifeMs,
    };
    const text = await parts.seal(job);
    for (;;) {
      try {
        return await give({ id: jobId(about), run, text });
      } catch (error) {
        if (!isAgovError(error, 'STATE_UNAVAILABLE') || signal.aborted) throw error;
        hints.silent(error);
      }
      await env.sleep(againMs, signal).catch(() => undefined); // the next try says what has come of it
    }
  }

  async function answer(about: About, stage: CommandJob['stage'], arrived: Arrived): Promise<Performed> {
    if (arrived.how === 'stopped')
      throw new AgovError('TOOL_FAILED', { what: 'It was stopped before a worker began it.' });
    if (arrived.how === 'lost') throw await lose(about, stage.agent, arrived.reason);
    const { said } = arrived.result;
    switch (said.did) {
      case 'lost':
        throw await lose(about, stage.agent, said.reason);
      case 'fault':
        throw new AgovError(knownCode(said.fault.code), textOf(said.fault));
      case 'deny':
        return { verdict: 'deny', id: said.id, decision: said.decision, ...(said.code ? { code: said.code } : {}) };
      case 'ask': {
        asking.add(about.token);
        const approval = await askHere(parts, about, stage.agent, said);
        return { verdict: 'ask', id: said.id, decision: said.decision, approval };
      }
      case 'allow':
        return allowed(arrived.result, said);
    }
  }

  async function allowed(
    { store, worker }: Result,
    { id, decision, outcome, kept, overtime }: Extract<Result['said'], { did: 'allow' }>,
  ): Promise<Performed> {
    if (decision.policyVersion !== policyVersion) hints.note(otherRules(worker.name).message);
    const { spent, ...rest } = outcome;
    const refs = [...outcome.artifacts, ...(Array.isArray(kept) ? kept : [])];
    const missing = store === parts.store ? [] : await fetchArtifacts(parts, refs);
    for (const ref of missing)
      hints.note(`Artifact "${ref.name}" (${ref.size} bytes, ${ref.sha256}) is on worker ${worker.name} alone.`);
    return {
      ...{ verdict: 'allow', id, decision, value: undefined },
      ...(overtime ? { overtime } : {}),
      outcome: { ...rest, ...(spent === undefined ? {} : { spent: readSpent(spent) }) },
      elsewhere: {
        worker,
        kept() {
          if (Array.isArray(kept)) return kept;
          throw new AgovError(knownCode(kept.code), textOf(kept));
        },
      },
    };
  }

  /** On record first: whoever resumes the run must not wait for it, nor begin it again under the same number. */
  async function lose(about: About, agent: string, reason: string): Promise<AgovError> {
    await ledger.append({
      ...{ kind: 'job', run, agent, parent: about.token },
      body: { step: 'lost', about, reason: reason.slice(0, 2000) },
    });
    hints.note(
      `Stage ${about.key}, attempt ${about.attempt}: ${reason} What it did is not known; the next attempt begins.`,
    );
    return new AgovError('WORKER_LOST', { what: reason, fix: 'See "agov worker list", and what the stage does.' });
  }

  return {
    perform,
    async [Symbol.asyncDispose]() {
      await waiting[Symbol.asyncDispose]();
      await alarm.told();
    },
  };
}

function askedAgain({
  quorum,
  reasons,
  policyVersion,
}: {
  quorum: number;
  reasons: readonly string[];
  policyVersion: string;
}) {
  return { verdict: 'ask', policies: [], reasons: [...reasons], quorum, policyVersion } satisfies Decision;
}

/** What a defect or a full disk over there is called here must not end the whole run. */
function knownCode(code: string): ErrorCode {
  const stops: readonly string[] = ['LEDGER_UNAVAILABLE', 'DISK_FULL', 'INTERNAL', 'NOT_WRITABLE'];
  return Object.hasOwn(ERROR_TABLE, code) && !stops.includes(code) ? (code as ErrorCode) : 'TOOL_FAILED'; // it is a key
}

function textOf({ what, why, fix }: { what: string; why?: string | undefined; fix?: string | undefined }) {
  return { what, ...(why === undefined ? {} : { why }), ...(fix === undefined ? {} : { fix }) };
}
