/**
 * Kill means dead: the ledger says so first, and one `kill` entry for each agent or run tells afterwards what each step
 * took. A step that failed is named there, and its order stays open until a retry has done it.
 */
import type { AgentRecord } from '../../adapters/state/port.ts';
import { endApprovals } from '../../governance/approvals/index.ts';
import type { Entry, Tier } from '../../schemas/index.ts';
import { appendStep, foldFleet } from '../../work/agents/index.ts';
import { foundBelow } from './below.ts';
import type { Found } from './fleet.ts';
import { scopeOf, type WideScope } from './frozen.ts';
import { order, report } from './orders.ts';
import { carryOut } from './steps/carry-out.ts';
import { round } from './steps/steps.ts';
import { resolveTarget } from './targets.ts';
import {
  type Deed,
  type KillParts,
  type KillReport,
  type KillStep,
  type KillTarget,
  type Subject,
  stepNames,
  type Thawed,
  type Why,
} from './types.ts';
import { type Stopped, stopUnrecorded } from './unrecorded.ts';

/** For good. @throws NOT_FOUND, and what the ledger throws: then what ran was stopped, and no more has happened */
export async function kill(parts: KillParts, target: KillTarget, why: Why): Promise<readonly KillReport[]> {
  const { agents: named, run } = await resolveTarget(parts, 'kill', target);
  if (run !== undefined) return killRun(parts, run, why);
  const agents = [...named, ...belowOf(parts, named)];
  const { tier } = { tier: undefined, ...target };
  return doTo(parts, 'kill', agents, why, scopeOf(target), () => (tier ? endTokens(parts, tier) : Promise.resolve()));
}

/** Until `thaw`. @throws NOT_FOUND, CONFLICT for an agent that has ended */
export async function freeze(parts: KillParts, target: KillTarget, why: Why): Promise<readonly KillReport[]> {
  const { agents } = await resolveTarget(parts, 'freeze', target);
  const frozen = await doTo(parts, 'freeze', agents, why, scopeOf(target));
  // They may not act while their lead may not, and may again with it: what they run is stopped, and no more.
  const below = belowOf(parts, agents).map(({ record }) => stopAgent(parts, record, why));
  return [...frozen, ...(await Promise.all(below))];
}

/**
 * A tier or all: only those that an order over the same has frozen.
 * @throws NOT_FOUND, CONFLICT for an agent that has ended
 */
export async function thaw(parts: KillParts, target: KillTarget, why: Why): Promise<Thawed> {
  const { agents, left } = await resolveTarget(parts, 'thaw', target);
  return { thawed: await doTo(parts, 'thaw', agents, why, scopeOf(target)), left };
}

/** Stops what runs by a tier that the agent no longer has; `agent` is the record by which it may go on. */
export async function stopAgent(parts: KillParts, agent: AgentRecord, why: Why): Promise<KillReport> {
  const began = parts.env.monotonic();
  const id = await order(parts.ledger, 'move', { agent: agent.name }, why);
  const subject: Subject = { deed: 'move', order: id, agent, run: undefined, orderedAt: parts.env.now(), why };
  const recorded = step(parts, began, 'on record');
  const [done] = await finish(parts, [{ subject, recorded }], began);
  return done as KillReport; // one subject, one report
}

/** By the ledger and without waiting for a server: agents that agents start are in the ledger of the host they run on. */
function belowOf({ ledger }: KillParts, agents: readonly Found[]): readonly Found[] {
  const { agents: all } = foldFleet(ledger);
  const found = new Map(
    [...all].map(([name, record]) => [name, { record, recorded: record, told: undefined, elsewhere: false }]),
  );
  return foundBelow(
    { found, unasked: undefined },
    agents.map(({ record }) => record.name),
  );
}

interface Ordered {
  readonly subject: Subject;
  readonly recorded: KillStep;
}

const steps = { kill: 'revoked', freeze: 'frozen', thaw: 'thawed' } as const;
const after = { kill: 'revoked', freeze: 'frozen', thaw: 'active' } as const;

async function doTo(
  parts: KillParts,
  deed: Exclude<Deed, 'move'>,
  agents: readonly Found[],
  why: Why,
  scope: WideScope | undefined,
  onRecord: () => Promise<void> = () => Promise.resolve(),
): Promise<readonly KillReport[]> {
  const { env, ledger } = parts;
  const began = env.monotonic();
  const ending = deed === 'kill' ? end(parts, { agents: new Set(agents.map(({ record }) => record.name)) }, why) : [];
  // All in one turn of the event loop, so that a hundred agents cost one commit: either all are on record or none is.
  const ordered = await Promise.all(
    agents.map(async ({ record: before, recorded: known, told: heard, elsewhere }): Promise<Ordered> => {
      const theirs = elsewhere ? { told: true as const } : {};
      const body = { step: steps[deed], tier: before.tier, ...why.by, reason: why.reason, ...theirs };
      const is = known?.status === after[deed] && (heard ?? known).status === after[deed];
      const marking = is ? Promise.resolve(before) : appendStep(ledger, { name: before.name, before }, body);
      const ordering = order(ledger, deed, { agent: before.name }, why, scope);
      const [agent, id, ended] = await Promise.all([marking, ordering, ending]);
      const closed = closing(ended.filter((entry) => entry.agent === before.name));
      const was = is ? `was ${before.status} before` : `${before.status} until now`;
      const whose = elsewhere ? ', as the state server tells of an agent of another host' : '';
      const recorded = step(parts, began, `${was}${whose}${closed}`);
      return { subject: { deed, order: id, agent, run: undefined, orderedAt: env.now(), why }, recorded };
    }),
  ).catch((error: unknown) => {
    const stopped = agents.map(({ record }): Stopped => ({ agent: record, run: undefined }));
    return stopUnrecorded(parts, deed, stopped, why, error);
  });
  const [reports] = await Promise.all([finish(parts, ordered, began), onRecord()]);
  return reports;
}

async function killRun(parts: KillParts, run: string, why: Why): Promise<readonly KillReport[]> {
  const began = parts.env.monotonic();
  const [id, ended] = await Promise.all([
    order(parts.ledger, 'kill', { run }, why),
    end(parts, { agents: new Set(), run }, why),
  ]).catch((error: unknown) => stopUnrecorded(parts, 'kill', [{ agent: undefined, run }], why, error));
  const subject: Subject = { deed: 'kill', order: id, agent: undefined, run, orderedAt: parts.env.now(), why };
  return finish(parts, [{ subject, recorded: step(parts, began, `on record${closing(ended)}`) }], began);
}

/** Nobody else may use what the killed had asked for. */
function end({ ledger }: KillParts, of: Parameters<typeof endApprovals>[1], why: Why): Promise<readonly Entry[]> {
  return endApprovals(ledger, of, { ...why.by, reason: why.reason });
}

function closing({ length }: readonly Entry[]): string {
  return length === 0 ? '' : `; ${length} open ${length === 1 ? 'approval' : 'approvals'} closed`;
}

async function finish(parts: KillParts, ordered: readonly Ordered[], began: number): Promise<readonly KillReport[]> {
  const wants = new Set(stepNames);
  const done = await carryOut(
    parts,
    ordered.map(({ subject }) => ({ subject, wants })),
  );
  const ms = round(parts.env.monotonic() - began);
  return Promise.all(
    ordered.map(({ subject, recorded }) => {
      return report(parts.ledger, subject, [recorded, ...(done.get(subject) ?? [])], ms);
    }),
  );
}

function step({ env }: KillParts, began: number, detail: string): KillStep {
  return { step: 'record', ok: true, ms: round(env.monotonic() - began), detail };
}

/** All tokens of a tier by one request, before they are looked up one by one; what it misses they do not. */
async function endTokens({ identities }: KillParts, tier: Tier): Promise<void> {
  const authority = await identities?.().catch(() => undefined);
  await authority?.revokeTier(tier).catch(() => undefined); // each agent's step "identity" tells whether it worked
}
