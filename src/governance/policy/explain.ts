/** Why a decision is what it is, and what would have to be different. Each claim was tried, none is guessed. */
import type { Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { tiers as allTiers, type Decision, type Tier } from '../../schemas/index.ts';
import { type Tiers, tierTitle } from '../tiers/index.ts';
import type { Engine } from './engine/cedar.ts';
import { requestOf } from './engine/request.ts';
import type { Slices } from './engine/slices.ts';
import type { Rule } from './rules/parse.ts';
import type { Explanation, NearPermit, PolicySet, PolicyText, Question, TierVerdict } from './types.ts';

export interface ExplainParts {
  readonly engine: Engine;
  readonly tiers: Tiers;
  readonly rules: readonly Rule[];
  readonly set: PolicySet;
  readonly slices: Slices;
}

const mostNearest = 3;

export function explain(parts: ExplainParts, question: Question): Explanation {
  const { set, rules } = parts;
  const decision = set.decide(question);
  const determining = rules.filter((rule) => decision.policies.includes(rule.id)).map(textOf);
  const verdicts = allTiers.map((tier) => atTier(set, question, tier));
  const lowestTier = verdicts.find(({ verdict }) => verdict === 'allow')?.tier;
  const nearest = decision.verdict === 'allow' ? [] : nearestPermits(parts, question);
  const facts = {
    decision,
    determining,
    tiers: verdicts,
    ...(lowestTier ? { lowestTier } : {}),
    ...(decision.quorum === undefined ? {} : { approvals: decision.quorum }),
    nearest,
  };
  return { ...facts, sentences: tell(parts.tiers, question, facts) };
}

function atTier(set: PolicySet, question: Question, tier: Tier): TierVerdict {
  const { verdict, quorum } = set.decide({ ...question, agent: { ...question.agent, tier } });
  return { tier, verdict, ...(quorum === undefined ? {} : { quorum }) };
}

/** Permits of the slice whose conditions do not all hold, those with the fewest that fail first. */
function nearestPermits({ engine, slices }: ExplainParts, question: Question): NearPermit[] {
  const permits = slices.of(question.intent.action).rules.filter((rule) => rule.effect === 'permit');
  return permits
    .map((rule) => ({ ...textOf(rule), failing: failingParts(engine, rule, question) }))
    .filter(({ failing }) => failing.length > 0)
    .sort((a, b) => a.failing.length - b.failing.length)
    .slice(0, mostNearest);
}

/** Each part of the policy is made a policy of its own and put to Cedar; one that errs does not hold either. */
function failingParts(engine: Engine, rule: Rule, question: Question): string[] {
  return partsOf(engine, rule.text).flatMap((part) => {
    using alone = engine.prepare({ part });
    const asked = requestOf(question, alone.needs);
    const answer = asked.ok ? alone.evaluate(asked.request) : undefined;
    return answer?.ok && answer.allowed ? [] : [conditionText(engine, part)];
  });
}

function partsOf({ cedar }: Engine, text: string): PolicyJson[] {
  const parsed = cedar.policyToJson(text);
  if (parsed.type === 'failure') return [];
  const { principal, resource, conditions } = parsed.json;
  const bare: PolicyJson = {
    effect: 'permit',
    principal: { op: 'All' },
    action: { op: 'All' },
    resource: { op: 'All' },
    conditions: [],
  };
  const scopes = [
    ...(principal.op === 'All' ? [] : [{ ...bare, principal }]),
    ...(resource.op === 'All' ? [] : [{ ...bare, resource }]),
  ];
  const clauses = conditions.flatMap(({ kind, body }) =>
    split(body, kind === 'when' ? '&&' : '||').map((part) => ({ ...bare, conditions: [{ kind, body: part }] })),
  );
  return [...scopes, ...clauses];
}

/** `when a && b` is two parts, and so is `unless a || b`. */
function split(body: Expr, operator: '&&' | '||'): Expr[] {
  const both = (body as Record<string, { left: Expr; right: Expr } | undefined>)[operator];
  return both ? [...split(both.left, operator), ...split(both.right, operator)] : [body];
}

function conditionText({ cedar }: Engine, part: PolicyJson): string {
  const printed = cedar.policyToText(part);
  if (printed.type === 'failure') return JSON.stringify(part.conditions);
  const condition = /\b(when|unless)\s*\{([\s\S]*)\}\s*;?\s*$/.exec(printed.text);
  const text = (
    condition ? `${condition[1] === 'unless' ? 'unless ' : ''}${condition[2]}` : scopeText(printed.text)
  ).trim();
  return text.replace(/\s+/g, ' ');
}

function scopeText(policy: string): string {
  return policy
    .replace(/^[^(]*\(/, '')
    .replace(/\)\s*;?\s*$/, '')
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s.includes(' '))
    .join(', ');
}

function tell(tiers: Tiers, question: Question, e: Omit<Explanation, 'sentences'>): string[] {
  const { agent, intent } = question;
  const who = `${agent.name} (${tierTitle(tiers, agent.tier)})`;
  const words = { allow: 'is allowed', ask: 'needs approval', deny: 'is denied' } as const;
  return [
    `${who} ${words[e.decision.verdict]}: ${intent.action} "${intent.resource}".`,
    ...e.decision.reasons,
    ...remedies(tiers, agent.tier, e.decision, e),
    ...e.determining.filter(forbids).map(({ id }) => `No permit outweighs ${id}, which forbids it.`),
    ...e.nearest.map(({ id, failing }) => `${id} would permit it if this held: ${failing.join('; and ')}.`),
  ];
}

/** A project's own forbid; a ceiling has said who may. */
function forbids({ id, effect }: PolicyText): boolean {
  return effect === 'forbid' && !id.startsWith('ceiling/');
}

function remedies(tiers: Tiers, tier: Tier, decision: Decision, e: Omit<Explanation, 'sentences'>): string[] {
  if (decision.verdict === 'allow') return [];
  const lowest =
    e.lowestTier && e.lowestTier !== tier ? [`${tierTitle(tiers, e.lowestTier)} would be allowed as things are.`] : [];
  const asking = e.tiers.find(({ verdict, tier: other }) => verdict === 'ask' && other !== tier);
  const withApproval =
    decision.verdict === 'deny' && lowest.length === 0 && asking
      ? [
          `${tierTitle(tiers, asking.tier)} would be allowed with ${asking.quorum} approval${asking.quorum === 1 ? '' : 's'}.`,
        ]
      : [];
  const never = e.tiers.every(({ verdict }) => verdict === 'deny') ? ['No tier would be allowed as things are.'] : [];
  return [...lowest, ...withApproval, ...never];
}

function textOf({ id, effect, reason, text, file, line }: PolicyText): PolicyText {
  return {
    id,
    effect,
    text,
    ...(reason === undefined ? {} : { reason }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}
