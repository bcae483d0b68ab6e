/** What stands above an agent, asked before the policy: nothing that is permitted gives a child more than its lead has. */
import { isAgovError } from '../../kernel/index.ts';
import type { Intent } from '../../schemas/index.ts';
import type { Budgets } from '../budgets/index.ts';
import { type Bounds, refusalToLease, refusalToSpawn, refusalToWrite } from '../delegation/index.ts';
import type { Standings } from '../standing/index.ts';
import type { BeginOptions, Channel } from './types.ts';

interface LineParts {
  readonly standings: Standings;
  readonly budgets?: Budgets;
  readonly bounds?: Bounds;
}

interface Undone {
  readonly why: string;
  readonly code?: 'BUDGET_EXCEEDED';
}

export function refusalByLine(
  parts: LineParts,
  channel: Channel,
  { action, resource }: Intent,
  options: BeginOptions,
): Undone | undefined {
  const { standings } = parts;
  switch (action) {
    case 'agent.spawn':
      return spawning(parts, channel, options);
    case 'agent.message':
      return said(refusalToWrite(standings.line(channel.agent), standings.line(resource), channel.run));
    case 'secret.read':
    case 'secret.write':
      return said(refusalToLease(standings.line(channel.agent), resource));
    default:
      return undefined;
  }
}

function spawning(
  { standings, budgets, bounds }: LineParts,
  channel: Channel,
  { spawn }: BeginOptions,
): Undone | undefined {
  if (!spawn || !bounds) return said('What it would be handed is not known.');
  const line = standings.line(spawn.parent);
  const root = line.at(-1)?.name ?? spawn.parent;
  const scene = { asker: channel.agent, line, living: standings.below(root).length, now: standings.now() };
  const refused = refusalToSpawn(spawn, scene, bounds);
  if (refused !== undefined) return said(refused);
  const handedOn = spawn.parent === channel.agent ? channel.budget : (line[0].handed?.budget ?? channel.budget);
  const scope = spawn.payer ?? handedOn;
  if (scope === undefined || !spawn.limits) return undefined;
  if (!budgets) return said('No budgets are kept here.');
  try {
    budgets.canGive(scope, spawn.limits);
    return undefined;
  } catch (error) {
    if (!isAgovError(error, 'BUDGET_EXCEEDED', 'INPUT_INVALID', 'NOT_FOUND')) throw error;
    return { why: [error.what, error.why].filter(Boolean).join(' '), code: 'BUDGET_EXCEEDED' };
  }
}

function said(why: string | undefined): Undone | undefined {
  return why === undefined ? undefined : { why };
}
