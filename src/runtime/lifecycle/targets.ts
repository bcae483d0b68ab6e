/**
 * Whom a target names. By the ledger, so that a kill finds its agents while the state store is away; and by the registry,
 * so that it reaches those of other hosts.
 */
import type { AgentRecord } from '../../adapters/state/port.ts';
import { AgovError } from '../../kernel/index.ts';
import { foldAgents } from '../../work/agents/index.ts';
import { type Found, lookAtFleet, statusesOf } from './fleet.ts';
import { isUndoneBy, scopeOf } from './frozen.ts';
import type { Deed, KillParts, KillTarget } from './types.ts';

export interface Targets {
  readonly agents: readonly Found[];
  readonly run: string | undefined;
  /** Frozen for a cause of their own, which a thaw of many does not undo. */
  readonly left: readonly AgentRecord[];
}

type Status = AgentRecord['status'];
/** Those that a deed changes; the named one may be one that it has changed before. */
const from: Readonly<Record<Exclude<Deed, 'move'>, readonly Status[]>> = {
  kill: ['active', 'frozen'],
  freeze: ['active'],
  thaw: ['frozen'],
};
const named: Readonly<Record<Exclude<Deed, 'move'>, readonly Status[]>> = {
  kill: ['active', 'frozen', 'retired', 'revoked'],
  freeze: ['active', 'frozen'],
  thaw: ['frozen', 'active'],
};

/** @throws NOT_FOUND, CONFLICT for one that it cannot be done to */
export async function resolveTarget(
  parts: KillParts,
  deed: Exclude<Deed, 'move'>,
  target: KillTarget,
): Promise<Targets> {
  if ('run' in target) return { agents: [], run: await knownRun(parts, target.run), left: [] };
  if ('agent' in target) {
    return { agents: [await namedAgent(parts, deed, target.agent)], run: undefined, left: [] };
  }
  // One that may do nothing any more can still have something running, as what was retired may end.
  const [{ found, unasked }, running] = await Promise.all([
    lookAtFleet(parts),
    deed === 'thaw' ? new Set<string>() : agentsThatRun(parts),
  ]);
  // Nobody here, and it cannot be told whether there is somebody elsewhere.
  if (found.size === 0 && unasked !== undefined) throw unasked;
  const inTier = ({ record, told }: Found): boolean =>
    'all' in target || record.tier === target.tier || told?.tier === target.tier;
  const agents = [...found.values()]
    .filter(inTier)
    .filter((one) => running.has(one.record.name) || statusesOf(one).some((status) => from[deed].includes(status)))
    .filter((one) => refusal(deed, one) === undefined);
  const scope = deed === 'thaw' ? scopeOf(target) : undefined;
  if (scope === undefined) return { agents, run: undefined, left: [] };
  const undone = new Set(agents.filter(({ record }) => isUndoneBy(parts.ledger, record, scope)));
  const left = agents.filter((agent) => !undone.has(agent)).map(({ record }) => record);
  return { agents: [...undone], run: undefined, left };
}

/** @throws NOT_FOUND, CONFLICT, what the state throws where it alone could know the agent */
async function namedAgent(parts: KillParts, deed: Exclude<Deed, 'move'>, name: string): Promise<Found> {
  const own = foldAgents(parts.ledger, name).get(name);
  // A kill of one of ours waits for no server before it is on record.
  if (deed === 'kill' && own) return { record: own, recorded: own, told: undefined, elsewhere: false };
  const { found, unasked } = await lookAtFleet(parts, name);
  const one = found.get(name);
  if (!one && unasked !== undefined) throw unasked;
  if (!one) throw new AgovError('NOT_FOUND', { what: `There is no agent "${name}".`, fix: 'See "agov agent list".' });
  const refused = refusal(deed, one);
  if (refused) throw refused;
  return one;
}

/** One that runs on another host has no entry here. @throws NOT_FOUND, what the state throws where it alone could know */
async function knownRun({ ledger, state }: KillParts, run: string): Promise<string> {
  if (ledger.query({ run, limit: 1 }).length > 0) return run;
  const live = await (await state()).registry.liveRuns();
  if (live.some((one) => one.run === run)) return run;
  throw new AgovError('NOT_FOUND', {
    what: `There is no run ${run} on record here, and nothing of it runs anywhere.`,
    fix: 'See "agov ledger tail --json" for the "run" of what was done, or "agov pipeline list"; on the host that began it.',
  });
}

/** Why it cannot be done to the agent. */
function refusal(deed: Exclude<Deed, 'move'>, one: Found): AgovError | undefined {
  const worst = statusesOf(one).find((status) => !named[deed].includes(status));
  if (worst !== undefined) return cannot(deed, worst === one.told?.status ? one.told : one.record);
  if (deed !== 'thaw' || !one.elsewhere || one.record.status !== 'frozen' || one.recorded?.status === 'frozen') return;
  return new AgovError('CONFLICT', {
    what: `Agent "${one.record.name}" was not frozen from here.`,
    why: 'Its freeze is in the ledger of another host, which believes no other in what it may do.',
    fix: `Thaw it there: agov thaw ${one.record.name}`,
  });
}

async function agentsThatRun({ state }: KillParts): Promise<ReadonlySet<string>> {
  try {
    return new Set((await (await state()).registry.liveRuns()).map(({ agent }) => agent));
  } catch {
    return new Set(); // the step "processes" tells why; what is active is found without it
  }
}

function cannot(deed: Deed, { name, status, reason }: AgentRecord): AgovError {
  return new AgovError('CONFLICT', {
    what: `Agent "${name}" is ${status}${reason ? `: ${reason}` : ''}.`,
    why:
      deed === 'thaw' ? 'Only what was frozen can be thawed; an end is for good.' : 'What has ended cannot be frozen.',
    fix: 'Add another agent under a new name: agov agent add NAME',
  });
}
