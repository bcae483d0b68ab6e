/** A policy set in force. `ask` is found by asking again as if operators had approved; all that goes wrong denies. */
import { messageOf } from '../../kernel/index.ts';
import type { Decision } from '../../schemas/index.ts';
import { grantsFor, type Tiers, tierTitle } from '../tiers/index.ts';
import type { CedarRequest, Engine, Evaluation } from './engine/cedar.ts';
import { requestOf } from './engine/request.ts';
import { slicesOf } from './engine/slices.ts';
import { explain } from './explain.ts';
import type { Rule } from './rules/parse.ts';
import type { PolicySet, Question } from './types.ts';

/** Approvals that are tried for `ask`; no tier asks for more. */
const mostApprovals = 3;
/** What a decision can ask for at most. */
const mostQuorum = 9;

export interface SetParts {
  readonly engine: Engine;
  readonly tiers: Tiers;
  readonly rules: readonly Rule[];
  readonly version: string;
}

export function createPolicySet(parts: SetParts): PolicySet {
  const { engine, tiers, rules, version } = parts;
  const byId = new Map(rules.map((rule, order) => [rule.id, { rule, order }]));
  const slices = slicesOf(engine, rules);
  let disposed = false;

  const deny = (policies: readonly string[], ...reasons: string[]): Decision => ({
    verdict: 'deny',
    policies: [...policies],
    reasons,
    policyVersion: version,
  });

  /** In the order of the set, and with their sentences: Cedar gives ids in no order. */
  const settled = (verdict: Decision['verdict'], ids: readonly string[], ...before: string[]): Decision => {
    const found = ids.flatMap((id) => byId.get(id) ?? []).sort((a, b) => a.order - b.order);
    const sentences = found.map(({ rule }) => rule.reason ?? `Rule "${rule.id}" ${rule.effect}s it.`);
    return {
      verdict,
      policies: found.map(({ rule }) => rule.id),
      reasons: [...new Set([...before, ...sentences])],
      policyVersion: version,
    };
  };

  const ask = (quorum: number, ids: readonly string[], have: number): Decision => {
    if (quorum > mostQuorum)
      return deny([], `${quorum} approvals are asked for, and no more than ${mostQuorum} can be.`);
    const missing = quorum - have;
    const sentence = `${missing} ${have > 0 ? 'more ' : ''}approval${missing === 1 ? ' is' : 's are'} needed.`;
    return { ...settled('ask', ids, sentence), quorum };
  };

  const refused = (question: Question, ids: readonly string[]): Decision => {
    const { agent, intent } = question;
    const title = tierTitle(tiers, agent.tier);
    if (ids.includes(`ceiling/${intent.action}`)) {
      return settled('deny', ids, `${title} may not ${intent.action} "${brief(intent.resource)}" as things are.`);
    }
    if (ids.length > 0) return settled('deny', ids);
    const may = [...new Set(grantsFor(tiers, agent.tier, intent.action).map((grant) => grant.means))];
    return deny(
      [],
      `No rule permits ${title} to ${intent.action} "${brief(intent.resource)}": it may ${may.join(', or ')}.`,
    );
  };

  const judge = (question: Question): Decision => {
    if (disposed) return deny([], 'policy evaluation failed: this policy set is no longer in use.');
    const { approvals, requireApprovals = 0 } = question;
    const { slot } = slices.of(question.intent.action);
    const asked = requestOf(question, slot.needs);
    if (!asked.ok) return deny([], asked.sentence);
    const now = slot.evaluate(asked.request);
    if (!now.ok) return failed(deny, now);
    if (now.allowed) {
      if (approvals >= requireApprovals) return settled('allow', now.determining);
      return ask(requireApprovals, now.determining, approvals);
    }
    for (let n = approvals + 1; slot.needs.approvals && n <= mostApprovals; n++) {
      const then = slot.evaluate(withApprovals(asked.request, n));
      if (then.ok && then.allowed) return ask(Math.max(n, requireApprovals), then.determining, approvals);
    }
    return refused(question, now.determining);
  };

  const set: PolicySet = {
    version,
    size: rules.length,
    decide(question) {
      try {
        return judge(question);
      } catch (error) {
        // Uncertainty denies, a defect of ours included.
        return deny([], `policy evaluation failed: ${messageOf(error)}`);
      }
    },
    explain: (question) => explain({ engine, tiers, rules, set, slices }, question),
    [Symbol.dispose]() {
      disposed = true;
      slices[Symbol.dispose]();
    },
  };
  return set;
}

function failed(
  deny: (ids: readonly string[], ...reasons: string[]) => Decision,
  now: Evaluation & { ok: false },
): Decision {
  return deny(now.policies, `policy evaluation failed: ${now.message}`);
}

export function withApprovals(request: CedarRequest, approvals: number): CedarRequest {
  return { ...request, context: { ...request.context, approvals } };
}

function brief(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
