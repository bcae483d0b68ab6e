/** What a role is handed, and who may call for it: its own lead, for what the operator has declared and no more. */
import type { Budgets, Limits } from '../../../governance/budgets/index.ts';
import type { Channel } from '../../../governance/governor/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import { nearest } from '../../../schemas/index.ts';
import type { Seat } from '../../agents/index.ts';
import type { Child, ChildWish } from '../children/index.ts';
import type { RolePlan, TeamPlan } from '../language/index.ts';
import type { Called, LiveTeam } from '../live.ts';
import type { Place, Task } from '../strategies/index.ts';

interface Scene {
  readonly authority: Seat;
  readonly lead: Seat;
  readonly task: Task;
}

type Nested = (place: Place, task: Task) => ChildWish['work'] | undefined;

export function wishFor(
  { budgets }: { readonly budgets: Budgets },
  plan: TeamPlan,
  role: RolePlan,
  { team, budget }: Channel,
): Omit<ChildWish, 'task' | 'input'> {
  const { definition, tier, member } = role;
  const limits = budget === undefined ? undefined : shareOf(budgets, plan, role, budget);
  return {
    ...{ definition, tier, role: role.role, secrets: member.secrets, team },
    ...(plan.value.peers ? { peers: true } : {}),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** Of what the team has, for one holder; never more than is left of it. Time is not parted: it passes for all at once. */
function shareOf(
  budgets: Budgets,
  { value }: TeamPlan,
  { member: { share, count } }: RolePlan,
  scope: string,
): Limits | undefined {
  if (share === undefined || value.budget === undefined) return undefined;
  const { limits, left } = budgets.statement(scope);
  const kinds = ['actions', 'tokens', 'moneyMicros'] as const;
  const parts = kinds.flatMap((kind) => {
    const whole = limits[kind];
    return whole === undefined
      ? []
      : [[kind, Math.min(Math.floor((whole * share) / 100 / count), left[kind] ?? 0)] as const];
  });
  return Object.fromEntries(parts);
}

export function rolesOf(
  parts: { readonly budgets: Budgets },
  plan: TeamPlan,
  { authority, lead, task }: Scene,
  nested: Nested,
): LiveTeam {
  const living = new Map<string, Child[]>();
  const roleOfCaller = (caller: Seat): string | undefined =>
    [...living].find(([, children]) => children.some(({ name }) => name === caller.channel.agent))?.[0];

  function called({ caller, role: name, under }: { caller: Seat; role: string; under?: string | undefined }): Called {
    const role = plan.roles.get(name);
    if (!role) throw noRole(plan, name);
    const isLead = caller.channel.agent === lead.channel.agent;
    const own = isLead ? undefined : roleOfCaller(caller);
    // Those below a member are called for by it, or by the lead in its place.
    const mine = isLead || (own !== undefined && role.reportsTo === own);
    const above =
      role.reportsTo === undefined
        ? lead.channel.agent
        : isLead
          ? standing(role.reportsTo, under)
          : caller.channel.agent;
    const full = (living.get(name) ?? []).filter((child) => child.ended() === undefined).length >= role.member.count;
    const refused = !mine
      ? `The role "${name}" does not report to "${caller.channel.agent}".`
      : above === undefined
        ? `Nobody is there whom it would report to: start a "${role.reportsTo}" first.`
        : full
          ? `There are ${role.member.count} of the role "${name}" already.`
          : plan.value.strategy === 'lead-and-workers'
            ? undefined
            : 'In this team the strategy starts the members.';
    const work = nested({ plan: role, index: (living.get(name) ?? []).length }, task);
    const wish = {
      ...wishFor(parts, plan, role, lead.channel),
      under: above ?? lead.channel.agent,
      ...(above === lead.channel.agent ? { payer: lead.channel.budget } : {}),
      ...(work ? { work } : {}),
      ...(refused === undefined ? {} : { refused }),
    };
    // A refusal is the caller's own; what is declared is started in the lead's name, whoever below it calls.
    return {
      asker: refused === undefined ? { ...authority, parent: caller.parent } : caller,
      wish: refused === undefined ? wish : { ...wish, under: caller.channel.agent },
    };
  }

  const standing = (role: string, wanted: string | undefined): string | undefined =>
    (living.get(role) ?? []).find(
      (child) => child.ended() === undefined && (wanted === undefined || child.name === wanted),
    )?.name;

  return {
    ...{ id: lead.channel.team ?? lead.parent, name: plan.value.name, called },
    began: (child) => void living.set(child.role, [...(living.get(child.role) ?? []), child]),
  };
}

function noRole({ value, roles }: TeamPlan, name: string): AgovError {
  const hint = nearest(name, roles.keys());
  return new AgovError('NOT_FOUND', {
    what: name === '' ? 'spawn takes a role in a team.' : `The team "${value.name}" has no role "${name}".`,
    fix: hint === undefined ? `It has ${[...roles.keys()].join(', ')}.` : `Did you mean "${hint}"?`,
  });
}
