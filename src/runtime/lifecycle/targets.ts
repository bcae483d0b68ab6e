/** Whom a target names. By the ledger, so that a kill finds its agents while the state store is away. */
import type { AgentRecord } from '../../adapters/state/port.ts';
import { AgovError } from '../../kernel/index.ts';
import { foldAgents } from '../../work/agents/index.ts';
import type { Deed, KillParts, KillTarget } from './types.ts';

export interface Targets {
  readonly agents: readonly AgentRecord[];
  readonly run: string | undefined;
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
  const { ledger } = parts;
  if ('run' in target) {
    if (ledger.query({ run: target.run, limit: 1 }).length > 0) return { agents: [], run: target.run };
    throw new AgovError('NOT_FOUND', {
      what: `There is no run ${target.run} on record.`,
      fix: 'See "agov ledger tail --json" for the "run" of what was done, or "agov pipeline list".',
    });
  }
  if ('agent' in target) {
    const agent = foldAgents(ledger, target.agent).get(target.agent);
    if (!agent) {
      throw new AgovError('NOT_FOUND', { what: `There is no agent "${target.agent}".`, fix: 'See "agov agent list".' });
    }
    if (!named[deed].includes(agent.status)) throw cannot(deed, agent);
    return { agents: [agent], run: undefined };
  }
  const inTier = (agent: AgentRecord): boolean => 'all' in target || agent.tier === target.tier;
  const all = [...foldAgents(ledger).values()].filter(inTier);
  // One that may do nothing any more can still have something running, as what was retired may end.
  const running = deed === 'thaw' ? new Set<string>() : await agentsThatRun(parts);
  const wants = ({ name, status }: AgentRecord): boolean => from[deed].includes(status) || running.has(name);
  const agents = all.filter(wants).filter(({ status }) => named[deed].includes(status));
  return { agents, run: undefined };
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
