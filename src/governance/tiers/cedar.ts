/**
 * Tiers as Cedar. Each grant becomes a permit, and each action a ceiling: a forbid unless some grant's firm part holds.
 * Firm is what no project policy may lift (tier, approvals, environment, destruction, the child's tier); loose is where
 * it happens (workspace, tools, hosts, own space). Forbid wins in Cedar, so a project can move only the loose part.
 */
import { type Action, actions, tierLevel, tiers } from '../../schemas/index.ts';
import type { Grant } from './declaration.ts';
import { hostLists, type Lists, type Overrides, toolLists } from './lists.ts';
import { lineageOf, type Tiers, tierTitle } from './load.ts';

export interface CompiledPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly actions: readonly Action[];
  /** A sentence for people. */
  readonly reason: string;
  /** Cedar text with its `@id` and `@reason`. */
  readonly text: string;
}

/** Permits in the order of the declaration, then ceilings. */
export function compileCedar(declared: Tiers, overrides: Overrides = {}): CompiledPolicy[] {
  const tools = toolLists(declared, overrides);
  const hosts = hostLists(declared, overrides);
  const permits = declared.grants.flatMap((grant) => {
    if (grant.where.tools) return listed(declared, grant, tools, (tool) => toolTerm(grant.action, tool));
    if (grant.where.hosts) return listed(declared, grant, hosts, hostTerm);
    return [permit(declared, grant, grant.tier, looseTerms(declared, grant))];
  });
  return [...numbered(permits), ...ceilings(declared)];
}

/** A grant over a list: one permit for the tier that has it, one more for each tier above that lists something new. */
function listed(
  declared: Tiers,
  grant: Grant,
  lists: Lists,
  term: (item: string) => string | undefined,
): CompiledPolicy[] {
  let below: readonly string[] = [];
  return tiers.flatMap((tier) => {
    if (!lineageOf(tier).includes(grant.tier)) return [];
    const added = lists[tier].filter((item) => !below.includes(item));
    below = lists[tier];
    if (added.includes('*')) return [permit(declared, grant, tier, [])];
    const terms = added.map(term).filter((one) => one !== undefined);
    return terms.length === 0 ? [] : [permit(declared, grant, tier, [or(terms)])];
  });
}

function permit(declared: Tiers, grant: Grant, tier: Grant['tier'], loose: readonly string[]): CompiledPolicy {
  const terms = [...firmTerms({ ...grant, tier }), ...loose];
  return policy(
    `tier/${tier}/${grant.action}`,
    'permit',
    [grant.action],
    sentence(declared, grant),
    `when { ${terms.join(' && ')} }`,
  );
}

function ceilings(declared: Tiers): CompiledPolicy[] {
  const perAction = actions.map((action) => {
    const grants = declared.grants.filter((grant) => grant.action === action);
    const reason = grants.length === 0 ? `No tier may ${action}.` : grants.map((g) => sentence(declared, g)).join(' ');
    const firm = [
      ...new Set(grants.map((grant) => [...firmTerms(grant), ...reservedTerms(declared, grant)].join(' && '))),
    ];
    return policy(`ceiling/${action}`, 'forbid', [action], reason, firm.length ? `unless { ${or(firm)} }` : '');
  });
  const files = ['fs.read', 'fs.write', 'fs.delete'] as const;
  const infra = ['infra.plan', 'infra.destroy'] as const;
  const elsewhere = 'context.plan.environment != resource.name';
  const planReason = 'The plan was made for another environment.';
  return [
    ...perAction,
    policy(
      'ceiling/protected',
      'forbid',
      files,
      'The path is protected: the governor’s own files are closed to every tier.',
      'when { context.protected }',
    ),
    policy('ceiling/plan-environment', 'forbid', ['infra.apply'], planReason, `when { ${elsewhere} }`),
    policy('ceiling/plan-environment-early', 'forbid', infra, planReason, `when { context has plan && ${elsewhere} }`),
  ];
}

function sentence(declared: Tiers, grant: Grant): string {
  const need = grant.approvals === 0 ? '' : `, with ${count(grant.approvals, 'approval')}`;
  return `${holders(declared, grant)} may ${grant.means}${need}.`;
}

function holders(declared: Tiers, { tier }: Grant): string {
  return tier === 'T3' || tier === 'T4' ? tierTitle(declared, tier) : `${tier} and above`;
}

function firmTerms({ tier, approvals, where }: Grant): string[] {
  const level = tierLevel(tier);
  const terms =
    tier === 'T3' || tier === 'T4'
      ? [`principal.level == ${level}`]
      : [...(level > 0 ? [`principal.level >= ${level}`] : []), 'principal.level <= 3'];
  if (approvals > 0) terms.push(`context.approvals >= ${approvals}`);
  if (where.environments) terms.push(or(where.environments.map((name) => `resource.name == ${quote(name)}`)));
  if (where.plan) terms.push('context.plan.approved');
  if (where.destroys !== undefined) terms.push(`context.plan.destroys ${where.destroys ? '>' : '<='} 0`);
  if (where.branch === 'unprotected') terms.push('!context.protectedBranch');
  if (where.target)
    terms.push(`context.targetLevel <= ${tierLevel(where.target)}`, 'context.targetLevel <= principal.level');
  return terms;
}

/** Secrets that another tier claims are that tier's, also where a project opens further paths. */
function reservedTerms({ declaration }: Tiers, { tier, action, where }: Grant): string[] {
  if (!where.secrets) return [];
  const own = secretsOf({ declaration }, tier, action);
  const claimed = tiers.flatMap((other) => [
    ...declaration.tiers[other].secrets.read,
    ...declaration.tiers[other].secrets.write,
  ]);
  const others = [...new Set(claimed)].filter((glob) => !own.includes(glob));
  return others.length === 0 ? [] : [`!${group(others.map(pathTerm))}`];
}

function looseTerms(declared: Tiers, { tier, action, where }: Grant): string[] {
  const terms: string[] = [];
  if (where.workspace) terms.push('context.inWorkspace');
  if (where.own) terms.push('context.own');
  if (where.branch === 'own') terms.push('context.ownBranch');
  if (where.secrets) terms.push(or(secretsOf(declared, tier, action).map(pathTerm)));
  return terms;
}

function secretsOf(
  { declaration }: Pick<Tiers, 'declaration'>,
  tier: Grant['tier'],
  action: Action,
): readonly string[] {
  const { read, write } = declaration.tiers[tier].secrets;
  return action === 'secret.write' ? write : read;
}

/**
 * A bare name is one looked up on the sandbox's PATH, which holds nothing that an agent can write; `./git` is a path and
 * matches no name. A listed path is compared with the program that was found.
 */
function toolTerm(action: Action, tool: string): string | undefined {
  if (tool.startsWith('/')) return action === 'process.exec' ? pathLike('context.program', tool) : undefined;
  if (!tool.endsWith('*')) return `resource.name == ${quote(tool)}`;
  return `${like('resource.name', tool)} && !(resource.name like "*/*")`;
}

function hostTerm(pattern: string): string {
  const [, host = pattern, port] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  const named = host.includes('*') ? like('resource.host', host) : `resource.host == ${quote(host)}`;
  return port === undefined ? named : `${named} && resource.port == ${Number(port)}`;
}

function pathTerm(glob: string): string {
  return pathLike('resource.path', glob);
}

function pathLike(what: string, glob: string): string {
  return glob.endsWith('*') ? like(what, glob) : `${what} == ${quote(glob)}`;
}

function like(what: string, pattern: string): string {
  return `${what} like ${quote(pattern)}`;
}

/** Patterns are narrowed by their schemas to characters that need no escape in Cedar. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function or(terms: readonly string[]): string {
  if (terms.length === 0) return 'false';
  return terms.length === 1 && terms[0] !== undefined ? terms[0] : group(terms);
}

function group(terms: readonly string[]): string {
  return `(${terms.map((term) => (term.includes('&&') ? `(${term})` : term)).join(' || ')})`;
}

function policy(
  id: string,
  effect: CompiledPolicy['effect'],
  about: readonly Action[],
  reason: string,
  condition: string,
): CompiledPolicy {
  const uids = about.map((action) => `Agov::Action::"${action}"`);
  const scope = uids.length === 1 ? `action == ${uids[0]}` : `action in [${uids.join(', ')}]`;
  const head = `@id(${quote(id)})\n@reason(${quote(reason)})\n`;
  const text = `${head}${effect} (principal, ${scope}, resource)${condition ? `\n${condition}` : ''};`;
  return { id, effect, actions: about, reason, text };
}

/** Twin ids within a tier get a number: `tier/T3/infra.apply`, `tier/T3/infra.apply/2`. */
function numbered(policies: readonly CompiledPolicy[]): CompiledPolicy[] {
  const seen = new Map<string, number>();
  return policies.map((one) => {
    const n = (seen.get(one.id) ?? 0) + 1;
    seen.set(one.id, n);
    if (n === 1) return one;
    const id = `${one.id}/${n}`;
    return { ...one, id, text: one.text.replace(quote(one.id), quote(id)) };
  });
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
