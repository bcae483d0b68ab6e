/**
 * Orders on record. An order is an open entry until an outcome says that all of it is done: what a crash or a failure has
 * left undone is found by looking for the open ones.
 */
import { z } from 'zod';
import type { AgentRecord } from '../../adapters/state/port.ts';
import { governorMark, governorMarkSchema, mayLive } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { isAgovError, type JsonObject } from '../../kernel/index.ts';
import { type Entry, nameSchema } from '../../schemas/index.ts';
import { foldFleet } from '../../work/agents/index.ts';
import { type WideScope, wideScopeSchema } from './frozen.ts';
import {
  type Deed,
  deeds,
  type KillReport,
  type KillStep,
  type StepName,
  type Subject,
  stepNames,
  type Why,
} from './types.ts';

const by = { operator: nameSchema, user: z.string(), reason: z.string() };
const orderSchema = z.strictObject({
  step: z.literal('ordered'),
  deed: z.enum(deeds),
  ...by,
  governor: governorMarkSchema,
  /** Of an order over many. */
  scope: wideScopeSchema.optional(),
});
const reportSchema = z.strictObject({
  step: z.enum(['done', 'failed']),
  deed: z.enum(deeds),
  ...by,
  ms: z.number(),
  steps: z.array(z.strictObject({ step: z.enum(stepNames), ok: z.boolean(), ms: z.number(), detail: z.string() })),
});
type ReportBody = z.infer<typeof reportSchema>;

export interface UnfinishedKill {
  readonly order: string;
  /** RFC 3339. */
  readonly at: string;
  readonly deed: Deed;
  readonly agent?: string;
  readonly run?: string;
  readonly reason: string;
  /** Of the last attempt; empty where there was none to its end. */
  readonly failed: readonly KillStep[];
}

/** Appends before it first waits, so that many orders share one commit. The order's id. */
export async function order(
  ledger: Ledger,
  deed: Deed,
  of: { agent?: string; run?: string },
  why: Why,
  scope?: WideScope,
): Promise<string> {
  const told = { step: 'ordered', deed, ...why.by, reason: why.reason, governor: governorMark() } as const;
  const body = { ...told, ...(scope === undefined ? {} : { scope }) };
  const { id } = await ledger.append({ kind: 'kill', ...of, body: body as unknown as JsonObject, opens: true }); // JSON by its schema
  return id;
}

/** What came of it. With all done the order is closed, unless another has closed it meanwhile. */
export async function report(
  ledger: Ledger,
  subject: Subject,
  steps: readonly KillStep[],
  ms: number,
): Promise<KillReport> {
  const { deed, why, agent, run } = subject;
  const done = steps.every(({ ok }) => ok);
  const body: ReportBody = {
    step: done ? 'done' : 'failed',
    ...{ deed, ...why.by, reason: why.reason, ms },
    steps: steps.map((s) => ({ ...s, detail: s.detail.slice(0, 2000) })),
  };
  const of = { ...(agent ? { agent: agent.name, tier: agent.tier } : {}), ...(run ? { run } : {}) };
  const draft = { kind: 'kill', ...of, parent: subject.order, body: body as unknown as JsonObject } as const; // as above
  const { id } = await ledger
    .append({ ...draft, ...(done ? { closes: subject.order } : {}) })
    .catch((error: unknown) => {
      if (!isAgovError(error, 'LEDGER_CLAIMED')) throw error;
      return ledger.append(draft);
    });
  const named = { ...(agent ? { agent: agent.name } : {}), ...(run ? { run } : {}) };
  return { deed, ...named, order: subject.order, entry: id, steps, ms };
}

/** Kills, freezes and thaws that are on record and not done, oldest first. */
export function unfinishedKills(ledger: Ledger): readonly UnfinishedKill[] {
  return openOrders(ledger).map(({ entry, last }) => {
    const { deed, reason } = orderSchema.parse(entry.body);
    const { id, at, agent, run } = entry;
    const failed = last?.steps.filter(({ ok }) => !ok) ?? [];
    return { order: id, at, deed, reason, failed, ...(agent ? { agent } : {}), ...(run ? { run } : {}) };
  });
}

export interface Resumable {
  readonly subject: Subject;
  /** What the last attempt did not do; everything where there was none. */
  readonly left: ReadonlySet<StepName>;
  /** What is left, as a text that is equal where nothing has changed. */
  readonly said: string;
  /** Another step of the agent came after it: there is nothing left to do. */
  readonly overtaken: boolean;
}

/** The orders that nobody is carrying out now. */
export function resumableOrders(ledger: Ledger): readonly Resumable[] {
  return openOrders(ledger).flatMap(({ entry, last }): Resumable[] => {
    const { deed, operator, user, reason, governor } = orderSchema.parse(entry.body);
    if (!last && mayLive(governor)) return [];
    const agent = entry.agent === undefined ? undefined : recordOf(ledger, entry.agent);
    const why = { by: { operator, user }, reason };
    const orderedAt = Date.parse(entry.at);
    const failed = last?.steps.filter(({ ok }) => !ok) ?? [];
    const left = new Set<StepName>(last ? failed.map(({ step }) => step) : stepNames);
    // A host that missed the word hears it again.
    if (left.has('processes') && deed !== 'thaw') left.add('announce');
    return [
      {
        subject: { deed, order: entry.id, agent, run: entry.run, orderedAt, why },
        left,
        said: said(failed),
        overtaken: agent !== undefined && isOvertaken(deed, agent.status),
      },
    ];
  });
}

/** Of the steps that failed, as `Resumable.said`. */
export function said(failed: readonly KillStep[]): string {
  return failed.map(({ step }) => step).join(' ');
}

/** Of this host's ledger, or of another's. */
function recordOf(ledger: Ledger, name: string): AgentRecord | undefined {
  const { agents, others } = foldFleet(ledger, name);
  return agents.get(name) ?? others.get(name);
}

function isOvertaken(deed: Deed, status: string): boolean {
  if (deed === 'freeze') return status !== 'frozen';
  return deed === 'thaw' && status !== 'active';
}

function openOrders(ledger: Ledger): readonly { readonly entry: Entry; readonly last: ReportBody | undefined }[] {
  return ledger
    .openIds()
    .map((id) => ledger.byId(id))
    .filter((entry) => entry?.kind === 'kill')
    .filter((entry) => entry !== undefined)
    .map((entry) => {
      const [last] = ledger.query({ kinds: ['kill'], parent: entry.id, newestFirst: true, limit: 1 });
      return { entry, last: last && reportSchema.parse(last.body) };
    });
}
