/** A team, read and understood with the definitions and teams that it names; or all its faults with their places. */
import { basename, relative } from 'node:path';
import { AgovError, isAgovError } from '../../../kernel/index.ts';
import {
  type Fault,
  faultsError,
  nearest,
  readYaml,
  type Team,
  type TeamMember,
  type Tier,
  teamSchema,
  tierLevel,
  type YamlPath,
} from '../../../schemas/index.ts';
import { type KnownToAgents, mustDefine } from '../../agents/index.ts';
import { readTeam, teamFile, teamNames } from './place.ts';

export interface KnownToTeams extends KnownToAgents {
  /** Levels below the lead (teams.depth). */
  readonly depth: number;
}

export interface TeamPlan {
  readonly value: Team;
  readonly text: string;
  readonly leadTier: Tier;
  readonly roles: ReadonlyMap<string, RolePlan>;
}

export interface RolePlan {
  readonly role: string;
  readonly member: TeamMember;
  /** What its holders run, or the lead of their team does. */
  readonly definition: string;
  readonly tier: Tier;
  /** Undefined: the lead. */
  readonly reportsTo: string | undefined;
  /** Of a member that is a team. */
  readonly team: TeamPlan | undefined;
}

export type TeamResult =
  | { readonly ok: true; readonly plan: TeamPlan }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly text: string };

/** @param file absolute @param around teams that this one is read for */
export function checkTeam(text: string, file: string, known: KnownToTeams, around: readonly string[] = []): TeamResult {
  const shown = relative(known.root, file);
  const result = readYaml(teamSchema, text, shown);
  if (!result.ok) return { ...result, text };
  const { value } = result;
  const faults: Fault[] = [];
  const report: Report = (path, message, hint) => void faults.push(result.fault(path, message, hint));
  if (`${value.name}.yaml` !== basename(file)) {
    report(['name'], `The team "${value.name}" is written in ${value.name}.yaml, and this is ${basename(file)}.`);
  }
  const leadTier = tierOf(value.lead, known, ['lead'], report);
  const roles = new Map<string, RolePlan>();
  for (const [role, member] of Object.entries(value.members)) {
    const plan = checkMember(value, role, member, known, [...around, value.name], report);
    if (plan) roles.set(role, plan);
  }
  checkLines(value, roles, leadTier, known.depth - around.length, report);
  checkShares(value, report);
  checkStrategy(value, report);
  if (faults.length > 0 || leadTier === undefined) return { ok: false, faults: inOrder(faults), text };
  return { ok: true, plan: { value, text, leadTier, roles } };
}

/** @throws NOT_FOUND, TEAM_INVALID with every fault */
export function mustTeam(name: string, known: KnownToTeams, around: readonly string[] = []): TeamPlan {
  const file = teamFile(known.root, name);
  const result = checkTeam(textOf(name, file, known), file, known, around);
  if (result.ok) return result.plan;
  const shown = relative(known.root, file);
  throw faultsError('TEAM_INVALID', shown, result.faults, `Correct what "agov team validate ${shown}" tells.`);
}

function textOf(name: string, file: string, { root }: KnownToTeams): string {
  try {
    return readTeam(root, file);
  } catch (error) {
    if (!isAgovError(error, 'NOT_FOUND')) throw error;
    const hint = nearest(name, teamNames(root));
    throw new AgovError('NOT_FOUND', {
      what: `There is no team "${name}".`,
      fix: hint === undefined ? `Write it: ${relative(root, file)}` : `Did you mean "${hint}"?`,
      cause: error,
    });
  }
}

type Report = (path: YamlPath, message: string, suggestion?: string) => void;

function tierOf(definition: string, known: KnownToTeams, at: YamlPath, report: Report): Tier | undefined {
  try {
    return mustDefine(definition, known).value.tier;
  } catch (error) {
    if (!isAgovError(error)) throw error;
    report(
      at,
      error.code === 'AGENT_INVALID'
        ? `The definition of "${definition}" has faults: agov agent check agents/${definition}.yaml`
        : error.what,
    );
    return undefined;
  }
}

function checkMember(
  team: Team,
  role: string,
  member: TeamMember,
  known: KnownToTeams,
  around: readonly string[],
  report: Report,
): RolePlan | undefined {
  const at = ['members', role];
  const { agent, team: inner, reportsTo } = member;
  if (reportsTo !== undefined && !Object.hasOwn(team.members, reportsTo)) {
    report([...at, 'reportsTo'], `There is no role "${reportsTo}".`, nearest(reportsTo, Object.keys(team.members)));
  }
  const nested = inner === undefined ? undefined : nestedTeam(inner, known, around, [...at, 'team'], report);
  if (inner !== undefined && !nested) return undefined;
  const definition = agent ?? nested?.value.lead ?? '';
  const needs = nested?.leadTier ?? tierOf(definition, known, [...at, 'agent'], report);
  if (needs === undefined) return undefined;
  const tier = member.tier ?? needs;
  if (tierLevel(tier) > tierLevel(needs)) {
    report([...at, 'tier'], `"${definition}" is defined for ${needs}, and has no more than that.`);
  }
  if (nested && tier !== needs) report([...at, 'tier'], 'A team is led at the tier of its lead.');
  return { role, member, definition, tier, reportsTo, team: nested };
}

function nestedTeam(
  name: string,
  known: KnownToTeams,
  around: readonly string[],
  at: YamlPath,
  report: Report,
): TeamPlan | undefined {
  if (around.includes(name)) {
    report(at, `The team "${name}" would be a member of itself: ${[...around, name].join(' → ')}.`);
    return undefined;
  }
  try {
    return mustTeam(name, known, around);
  } catch (error) {
    if (!isAgovError(error)) throw error;
    const hint = isAgovError(error, 'NOT_FOUND') ? nearest(name, teamNames(known.root)) : undefined;
    report(
      at,
      error.code === 'TEAM_INVALID' ? `The team "${name}" has faults: ${error.why?.slice(0, 500) ?? ''}` : error.what,
      hint,
    );
    return undefined;
  }
}

/** Nobody stands above its lead, nor in a circle, nor deeper than agents may. */
function checkLines(
  team: Team,
  roles: ReadonlyMap<string, RolePlan>,
  leadTier: Tier | undefined,
  depth: number,
  report: Report,
): void {
  for (const [role, { reportsTo }] of Object.entries(team.members)) {
    const at = ['members', role, 'reportsTo'];
    if (reportsTo !== undefined && team.strategy !== 'lead-and-workers') {
      report(
        at,
        `In a team of the strategy "${team.strategy}" all report to the lead. Make those below it a team of their own.`,
      );
      continue;
    }
    const line = lineAbove(team, role);
    if (line.circle) {
      report(at, `Nobody leads them: ${line.roles.join(' → ')}.`);
      continue;
    }
    if (line.roles.length > depth) {
      report(
        reportsTo === undefined ? ['members', role] : at,
        `It stands ${line.roles.length} levels below the lead, and ${depth} are allowed (teams.depth).`,
      );
    }
    const own = roles.get(role)?.tier;
    const above = reportsTo === undefined ? leadTier : roles.get(reportsTo)?.tier;
    if (own !== undefined && above !== undefined && tierLevel(own) > tierLevel(above)) {
      report(
        team.members[role]?.tier === undefined ? ['members', role] : ['members', role, 'tier'],
        `It is at ${own}, above "${reportsTo ?? team.lead}", which leads it at ${above}.`,
      );
    }
  }
}

/** From the role up to below the lead. */
function lineAbove({ members }: Team, role: string): { readonly roles: readonly string[]; readonly circle: boolean } {
  const roles = [role];
  for (
    let above = members[role]?.reportsTo;
    above !== undefined && Object.hasOwn(members, above);
    above = members[above]?.reportsTo
  ) {
    if (roles.includes(above)) return { roles: [...roles, above], circle: true };
    roles.push(above);
  }
  return { roles, circle: false };
}

/** Those under one lead have no more together than it has. */
function checkShares(team: Team, report: Report): void {
  const groups = Map.groupBy(
    Object.entries(team.members).filter(([, { share }]) => share !== undefined),
    ([, { reportsTo }]) => reportsTo,
  );
  for (const [lead, group] of groups) {
    const whole = lead === undefined ? 100 : (team.members[lead]?.share ?? 100);
    const sum = group.reduce((total, [, { share = 0 }]) => total + share, 0);
    const last = group.at(-1)?.[0] ?? '';
    if (sum > whole) {
      report(
        ['members', last, 'share'],
        `Those who report to "${lead ?? team.lead}" would share ${sum} percent of ${whole}.`,
      );
    }
  }
  for (const [role, { share }] of Object.entries(team.members)) {
    if (share !== undefined && team.budget === undefined)
      report(['members', role, 'share'], 'There is nothing to share: the team has no "budget".');
  }
}

function checkStrategy(team: Team, report: Report): void {
  const { strategy, vote, contest, members } = team;
  const unknown = (role: string, at: YamlPath): void => {
    if (!Object.hasOwn(members, role)) report(at, `There is no role "${role}".`, nearest(role, Object.keys(members)));
  };
  if (strategy === 'vote') {
    const voters = Object.values(members).reduce((sum, { count }) => sum + count, 0);
    for (const [i, role] of (vote?.veto ?? []).entries()) unknown(role, ['vote', 'veto', i]);
    if (vote?.quorum !== undefined && vote.quorum > voters) {
      report(['vote', 'quorum'], `It takes ${vote.quorum} votes, and there are ${voters} voters.`);
    }
  }
  if (strategy !== 'contest' || !contest) return;
  unknown(contest.judge, ['contest', 'judge']);
  if ((members[contest.judge]?.count ?? 1) > 1) report(['members', contest.judge, 'count'], 'There is one judge.');
  const tries = Object.entries(members).filter(([role]) => role !== contest.judge);
  if (tries.reduce((sum, [, { count }]) => sum + count, 0) < 2)
    report(['members'], 'A contest takes two who try, besides the judge.');
  for (const [role, { team: inner }] of Object.entries(members)) {
    if (inner !== undefined)
      report(['members', role, 'team'], 'Those in a contest work in folders of their own, which a team cannot.');
  }
}

function inOrder(faults: readonly Fault[]): readonly Fault[] {
  return faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
