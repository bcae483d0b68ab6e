/**
 * What an agent may hand to one that it starts, and whom it may write to. Pure: what is known goes in, a sentence comes
 * out where it is refused. Policy is asked besides; nothing that it permits lifts what stands here.
 */
import { isoTime } from '../../kernel/index.ts';
import { type Tier, tierLevel } from '../../schemas/index.ts';
import { endOf, isHanded, type Line, standingIn } from './line.ts';

/** What the child would have. */
export interface SpawnWish {
  /** Under whom it would stand: who asks, or one below. */
  readonly parent: string;
  readonly tier: Tier;
  /** By its definition: a child is not handed more than that. */
  readonly needs: Tier;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly secrets: readonly string[];
  /** Why what starts it, such as its team, does not. */
  readonly refused?: string;
}

export interface Bounds {
  /** How many may stand in a row below one that an operator added. */
  readonly depth: number;
  /** How many may live at once below it, however deep. */
  readonly members: number;
}

export interface Scene {
  readonly asker: string;
  /** Of the wish's parent. */
  readonly line: Line;
  /** That live now below the one at the line's end. */
  readonly living: number;
  readonly now: number;
}

export function refusalToSpawn(
  wish: SpawnWish,
  { asker, line, living, now }: Scene,
  bounds: Bounds,
): string | undefined {
  const parent = standingIn(line, now);
  const { name } = line[0];
  if (wish.refused !== undefined) return wish.refused;
  if (!line.some((member) => member.name === asker)) return `"${name}" does not report to "${asker}".`;
  if (!parent) return `There is no agent "${name}".`;
  if (parent.status !== 'active') return `Agent "${name}" is ${parent.status}: ${parent.reason ?? 'no reason given'}.`;
  if (!(tierLevel(wish.tier) <= tierLevel(parent.tier))) {
    return `Nobody starts an agent above itself: "${name}" is at ${parent.tier}, and this would be at ${wish.tier}.`;
  }
  if (tierLevel(wish.tier) > tierLevel(wish.needs)) {
    return `It would have more rights than it needs: its definition is for ${wish.needs}, and this would be at ${wish.tier}.`;
  }
  const end = endOf(line);
  if (!(wish.until <= end)) return `It would outlive "${name}", which is over at ${isoTime(end)}.`;
  if (!(wish.until > now)) return 'It would be over before it begins.';
  const secret = wish.secrets.find((one) => !isHanded(line, one));
  if (secret !== undefined) return `"${name}" was not handed the secret ${secret}, and cannot hand it on.`;
  if (line.length > bounds.depth)
    return `It would stand ${line.length} levels deep, and ${bounds.depth} are allowed (teams.depth).`;
  if (living >= bounds.members)
    return `There are ${living} agents below "${line.at(-1)?.name}", and ${bounds.members} are allowed (teams.members).`;
  return undefined;
}

export function refusalToLease(line: Line, secret: string): string | undefined {
  if (isHanded(line, secret)) return undefined;
  return `"${line[1]?.name ?? line[0].name}", which started it, did not hand down the secret ${secret}.`;
}

/** Own lead, own reports, and under one lead each other where their team says so. */
export function refusalToWrite(from: Line, to: Line, run: string): string | undefined {
  const [writer, lead] = from;
  const [reader, itsLead] = to;
  if (!reader.agent) return `There is no agent "${reader.name}".`;
  if (reader.name === writer.name) return 'It is its own name.';
  // It would never be read: an inbox is that of a run.
  if (reader.handed && reader.handed.run !== run) return `"${reader.name}" belongs to another run.`;
  if (lead?.name === reader.name || itsLead?.name === writer.name) return undefined;
  const peers = lead !== undefined && lead.name === itsLead?.name;
  if (peers && writer.handed?.peers && reader.handed?.peers && writer.handed.team === reader.handed.team)
    return undefined;
  const why = peers ? 'and their team does not have them write to each other' : 'and neither reports to the other';
  return `"${writer.name}" may not write to "${reader.name}", ${why}.`;
}
