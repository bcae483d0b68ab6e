/**
 * An agent with all that stand above it, up to the one that an operator added. It may do what each of them may: the least
 * of their tiers, the worst of their standings, the shortest of their times, and no secret that one of them was not handed.
 */
import type { AgentRecord } from '../../adapters/state/port.ts';
import { type Tier, tierLevel } from '../../schemas/index.ts';
import { type Handed, isWithin } from './handed.ts';

export interface Member {
  readonly name: string;
  /** By its own record alone; undefined where there is none. */
  readonly agent: AgentRecord | undefined;
  /** Undefined for one that an operator added. */
  readonly handed: Handed | undefined;
}

/** Itself first. */
export type Line = readonly [Member, ...Member[]];

/** What the agent is, all above it counted; undefined where it, or one above it, is unknown. */
export function standingIn(line: Line, now: number): AgentRecord | undefined {
  const [{ agent }, ...above] = line;
  if (!agent || above.some((one) => !one.agent)) return undefined;
  const fates = line.flatMap((member, i): Fate[] => {
    const fate = fateOf(member, i === 0, now);
    return fate ? [fate] : [];
  });
  // The worst; of two as bad the nearest.
  const worst = fates.reduce<Fate | undefined>(
    (a, b) => (a && gravity[a.status] >= gravity[b.status] ? a : b),
    undefined,
  );
  return { ...agent, tier: leastTier(line), ...(worst ?? {}) };
}

export const gravity: Readonly<Record<AgentRecord['status'], number>> = {
  active: 0,
  frozen: 1,
  retired: 2,
  revoked: 3,
};

type Fate = Pick<AgentRecord, 'status'> & { readonly reason?: string };

function fateOf({ name, agent, handed }: Member, own: boolean, now: number): Fate | undefined {
  const status = agent?.status ?? 'revoked';
  const over = handed !== undefined && !(now < Date.parse(handed.until));
  const why = agent?.reason ?? 'no reason given';
  if (over && gravity[status] < gravity.retired) {
    const text = `its time was over at ${handed.until}`;
    return { status: 'retired', reason: own ? text : `"${name}" stands above it, and ${text}` };
  }
  if (status === 'active') return undefined;
  return own
    ? { status, ...(agent?.reason ? { reason: agent.reason } : {}) }
    : { status, reason: `"${name}" stands above it, and is ${status}: ${why}` };
}

function leastTier(line: Line): Tier {
  const tiers = line.map(({ agent }) => agent?.tier ?? 'T0');
  return tiers.reduce((least, tier) => (tierLevel(tier) < tierLevel(least) ? tier : least));
}

/** Milliseconds since the epoch at which the first of them is over; infinite where none was given an end. */
export function endOf(line: Line): number {
  const ends = line.map(({ handed }) => (handed ? Date.parse(handed.until) : Number.POSITIVE_INFINITY));
  // A time that cannot be read is over.
  return Math.min(...ends.map((end) => (Number.isNaN(end) ? 0 : end)));
}

/** Whether every one of them was handed it, or is an operator's own agent. */
export function isHanded(line: Line, secret: string): boolean {
  return line.every(({ handed }) => !handed || isWithin(secret, handed.secrets));
}
