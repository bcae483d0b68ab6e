/** Applying a plan: counted from its own file, held to the rules, and the same one again after operators have consented. */
import type { Agent } from '../../../../agent-client/index.ts';
import { digestOf, use } from '../frame/acts.ts';
import type { Given } from '../frame/advice.ts';
import type { AdminInput, AdminRules } from '../inputs.ts';

export interface Applied {
  readonly plan: string;
  readonly environment: string;
  readonly creates: number;
  readonly changes: number;
  readonly destroys: number;
  readonly applied: boolean;
  /** Why it was refused. */
  readonly reasons: readonly string[];
}

export async function applyPlan(agent: Agent, { input }: Given<AdminInput>): Promise<Applied> {
  if (!input.plan) throw new Error('The task names no plan to apply.');
  const { dir } = input.plan;
  const plan = input.plan.sha256 ?? (await plannedFor(agent, dir));
  const { facts } = await use(agent, 'terraform.show', { dir, plan });
  const counted = {
    ...{ plan, environment: String(facts['environment']) },
    ...{ creates: Number(facts['creates']), changes: Number(facts['changes']), destroys: Number(facts['destroys']) },
  };
  const reasons = faultsOf(input.rules, counted);
  if (reasons.length > 0) return { ...counted, applied: false, reasons };
  await use(agent, 'terraform.apply', { dir, plan });
  return { ...counted, applied: true, reasons: [] };
}

type Counted = Pick<Applied, 'environment' | 'creates' | 'changes' | 'destroys'>;

/** A number that is none is no number that is small enough. */
function faultsOf(rules: AdminRules, { environment, creates, changes, destroys }: Counted): string[] {
  const isAtMost = (n: number, most: number): boolean => n <= most;
  return [
    ...(rules.environments.includes(environment)
      ? []
      : [`It is for ${environment}, which is not among "environments".`]),
    ...(isAtMost(destroys, rules.destroys) ? [] : [`It destroys ${destroys} resources; ${rules.destroys} may be.`]),
    ...(isAtMost(creates + changes, rules.changes)
      ? []
      : [`It creates and changes ${creates + changes} resources; ${rules.changes} may be.`]),
  ];
}

/** Made once in a run: what operators have consented to is that plan, and another one would ask them again. */
async function plannedFor(agent: Agent, dir: string): Promise<string> {
  const { run } = await agent.whoami();
  const key = `plans/${digestOf([run, dir])}`;
  const noted = await agent.board.get(key);
  if (noted.verdict === 'allow' && typeof noted.item?.value === 'string') return noted.item.value;
  const { facts } = await use(agent, 'terraform.plan', { dir });
  const plan = String(facts['planSha256']);
  await agent.board.set(key, plan);
  return plan;
}
