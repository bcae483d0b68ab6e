/** What is worth a person's eye, the gravest first. Each follows from what was seen, and none from what anybody says. */
import { count } from '../frame/text.ts';
import type { BranchDrift } from './drift/branch.ts';
import type { PlanDrift, StateDrift } from './drift/terraform.ts';
import type { Secrets } from './secrets/find.ts';

export interface Finding {
  readonly severity: 'high' | 'medium' | 'low';
  readonly kind: string;
  readonly what: string;
  readonly where: string;
}

export interface Drift {
  readonly branch: BranchDrift | undefined;
  readonly states: readonly StateDrift[];
  readonly plans: readonly PlanDrift[];
}

const order = ['high', 'medium', 'low'];

export function findingsOf(secrets: Secrets | undefined, drift: Drift | undefined): readonly Finding[] {
  const all = [
    ...(secrets ? ofSecrets(secrets) : []),
    ...(drift?.states ?? []).flatMap(ofState),
    ...(drift?.plans ?? []).flatMap(ofPlan),
    ...(drift?.branch ? ofBranch(drift.branch) : []),
  ];
  return all.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function ofSecrets({ finds, total, skipped }: Secrets): Finding[] {
  const told = finds.map(({ rule, file, line, digest, commit }): Finding => {
    const past = commit === undefined ? '' : `, in commit ${commit.slice(0, 12)}`;
    return { severity: 'high', kind: 'secret', what: `${rule}, digest ${digest}${past}`, where: `${file}:${line}` };
  });
  const rest = total - finds.length;
  return [
    ...told,
    ...(rest > 0 ? [high('secret', `${count(rest, 'more find')} not listed`, 'see the first ones')] : []),
    ...skipped.map((file) => low('not-looked-at', 'too large to look through for secrets', file)),
  ];
}

function ofState({ folder, state, orphaned, missing, fault }: StateDrift): Finding[] {
  const where = state ?? folder;
  return [
    ...(fault === undefined ? [] : [medium('unreadable', fault, where)]),
    ...orphaned.map((address) =>
      medium('orphaned', `${address} is in the state, and no configuration names it`, where),
    ),
    ...missing.map((address) => low('not-applied', `${address} is in the configuration, and not in the state`, folder)),
  ];
}

function ofPlan({ plan, destroys, drifted, fault }: PlanDrift): Finding[] {
  return [
    ...(fault === undefined ? [] : [medium('unreadable', fault, plan)]),
    ...(destroys > 0 ? [high('destroys', `it would destroy ${count(destroys, 'resource')}`, plan)] : []),
    ...drifted.map((address) => medium('drifted', `${address} was changed outside of Terraform`, plan)),
  ];
}

function ofBranch({ branch, upstream, behind, changed, unknown, fault }: BranchDrift): Finding[] {
  const where = branch ?? 'no branch';
  return [
    ...(fault === undefined ? [] : [medium('unreadable', fault, where)]),
    ...(behind > 0 ? [low('behind', `${count(behind, 'commit')} of ${upstream} are not in it`, where)] : []),
    ...(changed.length > 0
      ? [low('uncommitted', `${count(changed.length, 'file')} changed and not committed`, where)]
      : []),
    ...(unknown.length > 0 ? [low('unknown', `${count(unknown.length, 'file')} that git does not know`, where)] : []),
  ];
}

function high(kind: string, what: string, where: string): Finding {
  return { severity: 'high', kind, what, where };
}
function medium(kind: string, what: string, where: string): Finding {
  return { severity: 'medium', kind, what, where };
}
function low(kind: string, what: string, where: string): Finding {
  return { severity: 'low', kind, what, where };
}
