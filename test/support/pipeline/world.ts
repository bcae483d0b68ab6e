/**
 * A world in which pipelines run under a real governor and a real ledger, with effects that are only counted, and in
 * which the process may die at any append: what was on its way then is lost, as after a SIGKILL.
 */
import { join } from 'node:path';
import type { Locks } from '../../../src/adapters/state/port.ts';
import { type Approvals, ledgerApprovals } from '../../../src/governance/approvals/index.ts';
import { fileArtifacts } from '../../../src/governance/evidence/index.ts';
import { createGovernor } from '../../../src/governance/governor/index.ts';
import { everyEntry, type Ledger } from '../../../src/governance/ledger/index.ts';
import { openStandings } from '../../../src/governance/standing/index.ts';
import { AgovError, idSource, isAgovError, type JsonObject } from '../../../src/kernel/index.ts';
import type { Entry } from '../../../src/schemas/index.ts';
import type { Exec, UseTool } from '../../../src/work/agents/index.ts';
import { lockTtlMs } from '../../../src/work/pipeline/driving/locks/index.ts';
import {
  createPerform,
  type DriveParts,
  drive,
  type RunState,
  readRun,
  resumeRun,
  signalRun,
  startRun,
  unitKey,
} from '../../../src/work/pipeline/index.ts';
import { type Governed, governed } from '../governed.ts';
import type { Scripted } from './generate.ts';

export interface Effect {
  /** `unitKey`. */
  readonly key: string;
  /** The entry of the attempt. */
  readonly attempt: string;
}

export interface World extends AsyncDisposable {
  readonly effects: readonly Effect[];
  /** Locks that two effects had at once. */
  readonly overlaps: readonly string[];
  entries(): Entry[];
  /** Runs it to its end; the process dies at each append whose number (from its start) is in `deaths`, one a life. */
  run(script: Scripted, deaths: readonly number[]): Promise<RunState>;
}

/** Where units are done, if not in the driver's own process; asked at the beginning of each of its lives. */
export interface Engine extends AsyncDisposable {
  open(driver: Driver): Promise<{ readonly perform: DriveParts['perform'] } & AsyncDisposable>;
}

export interface Driver {
  readonly run: string;
  readonly base: Governed;
  readonly parts: DriveParts;
  readonly approvals: Approvals;
  readonly policyVersion: string;
  /** What a unit does in the life of whoever does it. */
  effect(life: Life): Perform;
}

const by = { operator: 'ada', user: 'ada' };
const never = new AbortController().signal;
const graceMs = 10_000;

export async function world(engine?: Engine): Promise<World> {
  const base = await governed({
    agents: { builder: 'T1' },
    limits: { intentsPerRun: 1_000_000, denialsPerRun: 10_000 },
  });
  const artifacts = fileArtifacts(join(base.dir, 'artifacts'), idSource(base.env));
  const effects: Effect[] = [];
  const failed = new Set<string>();
  const [holding, overlaps] = [new Map<string, string>(), [] as string[]];

  const live = async (script: Scripted, run: string, dieAt: number | undefined): Promise<RunState | 'died'> => {
    const life = mortal(base.ledger, dieAt);
    const own = partsOf(base, life, artifacts, perform(script, life));
    const driver = { run, base, ...own, effect: (other: Life) => perform(script, other) };
    await using elsewhere = await engine?.open(driver);
    const parts = elsewhere ? { ...own.parts, perform: elsewhere.perform } : own.parts;
    try {
      return await drive(parts, script.pipeline, run, { stop: never, quit: never });
    } catch (error) {
      if (!life.dead()) throw error;
      return 'died';
    }
  };

  const perform =
    ({ conduct, pipeline }: Scripted, life: Life): Perform =>
    async (attempt) => {
      const body = base.ledger.byId(attempt)?.body as { stage: string; item?: number; undo?: true };
      const key = unitKey(body);
      const does = body.undo ? 'ok' : (conduct.get(body.stage) ?? 'ok');
      effects.push({ key, attempt });
      const fails = does === 'fail' || (does === 'flaky' && !failed.has(key));
      if (fails) failed.add(key);
      const locks = (pipeline.stages[body.stage] ?? pipeline.finally[body.stage])?.locks ?? [];
      for (const lock of locks) {
        if (holding.has(lock)) overlaps.push(`${lock}: ${holding.get(lock)}, ${key}`);
        holding.set(lock, key);
      }
      for (let turn = 0; turn < key.length % 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      for (const lock of locks) holding.delete(lock);
      life.check();
      return fails ? 'failed' : 'ok';
    };

  /** As an operator does: of each pair of stages one before it waits, the other once nothing else can go on. */
  const signal = async (script: Scripted, run: string, which: (name: string) => boolean): Promise<void> => {
    const state = readRun(base.ledger, run);
    for (const name of eventsIn(script).filter(which)) {
      for (const data of ['later', 'now']) await signalRun(base.ledger, script.pipeline, state, { name, data }, by);
    }
  };

  return {
    effects,
    overlaps,
    entries: () => [...everyEntry(base.ledger, {})],
    async run(script, deaths) {
      const text = 'generated';
      const made = { ledger: base.ledger, artifacts, ids: idSource(base.env) };
      const run = await startRun(made, script.pipeline, { text, file: 'p.yaml', params: { yes: true } }, by);
      await signal(script, run, isEarly);
      let ended = await live(script, run, deaths[0]);
      for (let i = 1; ended === 'died' || ended.status === 'waiting'; i++) {
        await settleAll(base.ledger);
        // The locks of the dead end by themselves.
        base.env.advance(lockTtlMs(graceMs) + 1);
        const state = readRun(base.ledger, run);
        if (state.endedAt !== undefined) return state;
        const awaited = [...state.stages.values()].flatMap((one) =>
          one.status === 'pending' ? (one.awaiting?.event ?? []) : [],
        );
        if (ended !== 'died') await signal(script, run, (name) => awaited.includes(name));
        // The same process lives on here, so that the driver's mark says nothing: only its number counts.
        await base.ledger.append({ kind: 'run', run, body: { step: 'waiting', approvals: [] } });
        await resumeRun(base.ledger, run, by);
        ended = await live(script, run, deaths[i]);
      }
      return ended;
    },
    async [Symbol.asyncDispose]() {
      await engine?.[Symbol.asyncDispose]();
      await base[Symbol.asyncDispose]();
    },
  };
}

export interface Life {
  readonly ledger: Ledger;
  dead(): boolean;
  /** Throws once it is over. */
  check(): void;
}

export type Perform = (attempt: string) => Promise<'ok' | 'failed'>;

/** Dies at the append of that number: every second time after it is on disk, and nobody hears of it. */
export function mortal(ledger: Ledger, dieAt: number | undefined): Life {
  let [count, over] = [0, false];
  const check = (): void => {
    if (over) throw new AgovError('LEDGER_UNAVAILABLE', { what: 'The process has died.' });
  };
  return {
    dead: () => over,
    check,
    ledger: {
      ...ledger,
      async append(draft) {
        check();
        count += 1;
        if (count === dieAt) {
          over = true;
          if (dieAt % 2 === 0) await ledger.append(draft);
        }
        check();
        const receipt = await ledger.append(draft);
        check();
        return receipt;
      },
    },
  };
}

export async function settleAll(ledger: Ledger): Promise<void> {
  for (const id of ledger.openIds()) {
    const intent = ledger.byId(id);
    if (intent?.kind !== 'intent') continue;
    const body: JsonObject = { status: 'unknown', reason: 'It died.', facts: {} };
    try {
      await ledger.append({ kind: 'outcome', parent: id, run: intent.run ?? '', body, closes: id });
    } catch (error) {
      // What was on its way to the disk when it died may get there yet.
      if (!isAgovError(error, 'LEDGER_CLAIMED')) throw error;
    }
  }
}

export function partsOf(base: Governed, life: Life, artifacts: DriveParts['artifacts'], perform: Perform): Parts {
  const { env, policy, state } = base;
  const approvals: Approvals = ledgerApprovals(life.ledger, env, 3_600_000, () => ['release']);
  const governor = createGovernor({
    ...{ ledger: life.ledger, policy, approvals, registry: state.registry },
    standings: openStandings(life.ledger, () => env.now()),
    world: { protectedPaths: [], hiddenPaths: [], locate: (program) => `/usr/bin/${program}` },
    limits: { intentsPerRun: 1_000_000, denialsPerRun: 10_000 },
  });
  const exec: Exec = async ({ channel, argv, begin }) => {
    const denied = argv[0] === 'denied';
    const intent = { action: denied ? 'governance.tiers' : 'process.exec', resource: argv[0], args: { argv } } as const;
    return governor.act(
      channel,
      { ...intent, args: { argv: [...argv] } },
      async () => {
        const status = await perform(begin?.parent ?? '');
        const stdout = { ...(await artifacts.put('stdout', `printed by ${argv[1]}`)), name: 'stdout', dropped: 0 };
        const value = { code: 0, signal: undefined, durationMs: 0, stdout, stderr: undefined, stopped: undefined };
        const outcome = { status, facts: { exitCode: status === 'ok' ? 0 : 1 }, artifacts: [stdout] };
        return { value, outcome: status === 'ok' ? outcome : { ...outcome, reason: 'It failed.' } };
      },
      begin,
    );
  };
  const useTool: UseTool = () => Promise.reject(new Error('no tool is used'));
  const parts: DriveParts = {
    ...{ env, artifacts, ledger: life.ledger, ids: idSource(env), hidden: [] },
    ...{ locks: mortalLocks(state.locks, life), graceMs },
    perform: createPerform({ exec, useTool, tools: new Map() }),
    workspace: async () => base.channel('builder').workspace,
    async ask(approval) {
      for (const operator of ['ada', 'grace'].slice(0, approval.quorum)) {
        if (approval.operators.includes(operator)) continue;
        try {
          await approvals.approve(approval.id, { ...by, operator, via: 'test' }, governor.policyVersion);
        } catch (error) {
          // Two items that ask for the same have one approval: the other's question was answered first.
          if (!isAgovError(error, 'APPROVAL_INVALID', 'CONFLICT', 'LEDGER_CLAIMED')) throw error;
        }
      }
      return 'approved';
    },
  };
  return { parts, approvals, policyVersion: governor.policyVersion };
}

/** Those who died release nothing, and ask for nothing. */
function mortalLocks(locks: Locks, life: Life): Locks {
  const alive =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      life.dead() ? Promise.reject(new AgovError('STATE_UNAVAILABLE', { what: 'It has died.' })) : call(...args);
  const { acquire, renew, release, holder, held } = locks;
  return {
    acquire: alive(acquire),
    renew: alive(renew),
    release: alive(release),
    holder: alive(holder),
    held: alive(held),
  };
}

function eventsIn({ pipeline: { stages, finally: final } }: Scripted): string[] {
  const all = [...Object.values(stages), ...Object.values(final)];
  return all.flatMap(({ gate }) => (typeof gate === 'object' && gate.event ? [gate.event.name] : []));
}

function isEarly(name: string): boolean {
  return name.length % 2 === 0;
}

interface Parts {
  readonly parts: DriveParts;
  readonly approvals: Approvals;
  readonly policyVersion: string;
}
