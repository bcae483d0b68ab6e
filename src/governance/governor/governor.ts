/**
 * The one path every effect takes: identify, decide, record, perform, record. Uncertainty denies: whatever throws before
 * the intent is durable leaves nothing allowed.
 */
import type { Actor, Registry, Standing } from '../../adapters/state/port.ts';
import { AgovError, isAgovError, type JsonObject, messageOf } from '../../kernel/index.ts';
import type { Decision, EntryDraft, Intent, Tier } from '../../schemas/index.ts';
import { type Approvals, type ApprovalTerms, type PendingApproval, subjectHash } from '../approvals/index.ts';
import { type Budgets, type Hold, readSpent } from '../budgets/index.ts';
import type { Bounds } from '../delegation/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { PolicySet, Question } from '../policy/index.ts';
import type { Standings } from '../standing/index.ts';
import { refusalByLine } from './delegated.ts';
import { gatherFacts, type World } from './facts.ts';
import { governorMark } from './liveness.ts';
import { ledgerSessions } from './session.ts';
import { settleOpenIntents } from './settle.ts';
import type { Acted, BeginOptions, Begun, Channel, Effected, End, Governor } from './types.ts';

export interface Limits {
  readonly intentsPerRun: number;
  readonly denialsPerRun: number;
}

export interface GovernorParts {
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly standings: Standings;
  readonly policy: PolicySet;
  readonly approvals: Approvals;
  readonly world: World;
  readonly limits: Limits;
  /** Without them a channel that names a budget is refused. */
  readonly budgets?: Budgets;
  /** Without them no agent starts another. */
  readonly bounds?: Bounds;
  /** Brings the registry in line with the ledger, when an agent is not in it. */
  readonly recover?: () => Promise<unknown>;
}

export function createGovernor(parts: GovernorParts): Governor {
  const { ledger, registry, standings, policy, approvals, world, limits, budgets } = parts;
  const sessions = ledgerSessions(ledger);
  // Its members are JSON; the interface only lacks the index signature.
  const mark = governorMark() as unknown as JsonObject;

  async function standing({ agent, run }: Actor): Promise<Standing> {
    const look = async () => (await standings.of(registry, [{ agent, run }]))[0] ?? unknownToAll;
    const found = await look();
    if (found.agent) return found;
    // The state may have been lost since the start; the ledger knows who was added, and who was revoked.
    await parts.recover?.();
    return look();
  }

  /** The agent as registered, or why it may do nothing, at all or in this run. */
  async function identify({ agent: name, run }: Channel): Promise<{ tier: Tier } | { refused: string }> {
    const { agent, stopped } = await standing({ agent: name, run });
    if (!agent) return { refused: `There is no agent "${name}".` };
    if (agent.status !== 'active')
      return { refused: `Agent "${name}" is ${agent.status}: ${agent.reason ?? 'no reason given'}.` };
    if (stopped !== undefined) return { refused: `Run ${run} was killed: ${stopped}` };
    return { tier: agent.tier };
  }

  function overLimit({ intents, denials }: Question['session']): string | undefined {
    if (intents >= limits.intentsPerRun)
      return `The run has used its ${limits.intentsPerRun} intents (limits.intentsPerRun).`;
    if (denials >= limits.denialsPerRun)
      return `The run was denied ${limits.denialsPerRun} times (limits.denialsPerRun).`;
    return undefined;
  }

  const refusal = (reason: string): Decision => ({
    verdict: 'deny',
    policies: [],
    reasons: [reason],
    policyVersion: policy.version,
  });

  function question(channel: Channel, tier: Tier, intent: Intent, options: BeginOptions): Question {
    return {
      agent: { name: channel.agent, tier },
      intent,
      facts: { ...gatherFacts(world, channel, intent), ...options.facts },
      session: sessions.of(channel.run),
      approvals: 0,
      ...(options.requireApprovals === undefined ? {} : { requireApprovals: options.requireApprovals }),
    };
  }

  function decide(channel: Channel, tier: Tier, intent: Intent, options: BeginOptions): Ruling {
    let asked: Question;
    try {
      asked = question(channel, tier, intent, options);
    } catch (error) {
      // Where the resource really lies cannot be told (a loop of symlinks, an unreadable folder): uncertainty denies.
      return { decision: refusal(`It cannot be found out what "${intent.resource}" is: ${messageOf(error)}`) };
    }
    const limit = overLimit(asked.session);
    if (limit) return { decision: refusal(limit) };
    const undone = refusalByLine(parts, channel, intent, options);
    if (undone) return { decision: refusal(undone.why), ...(undone.code ? { code: undone.code } : {}) };
    const decision = policy.decide(asked);
    if (decision.verdict !== 'ask') return { decision };
    // Operators are not asked for what could not be paid.
    const short = channel.budget === undefined ? undefined : (budgets ?? noBudgets).refusal(channel, options.reserve);
    if (short) return overspent(short);
    const { agent, workspace } = channel;
    const subject = { agent, intent, workspace, policyVersion: policy.version, terms: termsOf(options, decision) };
    const approval = approvals.forHash(subjectHash(subject));
    if (!approval) return { decision, subject };
    const again = policy.decide({ ...asked, approvals: approval.operators.length });
    return { decision: again, subject, approval };
  }

  const overspent = (why: string): Ruling => ({ decision: refusal(why), code: 'BUDGET_EXCEEDED' });

  /** What an allowed intent takes from its budget, held until it is on record; or the refusal. */
  async function pay(channel: Channel, ruling: Ruling, options: BeginOptions): Promise<Ruling & { hold?: Hold }> {
    if (ruling.decision.verdict !== 'allow') return ruling;
    const hold = await (budgets ?? noBudgets).take(channel, options.reserve);
    return 'refused' in hold ? overspent(hold.refused) : { ...ruling, hold };
  }

  async function begin(channel: Channel, intent: Intent, options: BeginOptions = {}): Promise<Begun> {
    const who = await identify(channel);
    const ruling: Ruling =
      'refused' in who ? { decision: refusal(who.refused) } : decide(channel, who.tier, intent, options);
    const paid: Ruling & { hold?: Hold } = channel.budget === undefined ? ruling : await pay(channel, ruling, options);
    const { decision, subject, approval, code, hold } = paid;
    const tier = 'tier' in who ? who.tier : undefined;
    // The question to the operators comes first, so that an `ask` without one is never on record.
    const pending =
      decision.verdict === 'ask' && subject && tier
        ? (approval ??
          (await approvals.ask({ ...subject, run: channel.run, tier }, decision.quorum ?? 1, [
            ...(options.asks === undefined ? [] : [options.asks]),
            ...decision.reasons,
          ])))
        : approval;
    const allowed = decision.verdict === 'allow';
    const used = allowed ? (approval?.id ?? options.uses) : undefined;
    const named = pending?.id ?? used;
    const draft: EntryDraft = {
      kind: 'intent',
      run: channel.run,
      agent: channel.agent,
      ...(tier ? { tier } : {}),
      ...(options.parent ? { parent: options.parent } : {}),
      ...(options.after ? { after: [options.after] } : {}),
      body: {
        ...intent,
        workspace: channel.workspace,
        decision: decision as unknown as JsonObject, // JSON by its schema
        governor: mark,
        ...(named ? { approval: named } : {}),
        ...(hold ? { budget: hold.draw as unknown as JsonObject } : {}), // JSON by its type
      },
      ...(hold ? { id: hold.id } : {}),
    };
    const { id, seq } = await ledger
      .append({ ...draft, ...(allowed ? { opens: true } : {}), ...(used ? { closes: used } : {}) })
      .catch(async (error: unknown) => {
        await hold?.release();
        throw isAgovError(error, 'LEDGER_CLAIMED') && used ? usedMeanwhile(used, error) : error;
      });
    sessions.add(channel.run, intent.action, decision.verdict);
    const late = await hold?.late(seq);
    if (late !== undefined) {
      await end(channel, id, { status: 'failed', reason: late, facts: {} });
      return { verdict: 'deny', id, decision: refusal(late), code: 'BUDGET_EXCEEDED' };
    }
    if (allowed) return { verdict: 'allow', id, decision };
    if (decision.verdict === 'ask' && pending) return { verdict: 'ask', id, decision, approval: pending };
    return { verdict: 'deny', id, decision, ...(code ? { code } : {}) };
  }

  async function end(channel: Channel, id: string, ended: End, entry?: string): Promise<void> {
    const { artifacts, spent, ...outcome } = ended;
    const used = spent === undefined ? undefined : readSpent(spent);
    const settle = channel.budget === undefined ? undefined : budgets?.settling(channel, id, used);
    const { seq } = await ledger.append({
      ...{ kind: 'outcome', ...(entry === undefined ? {} : { id: entry }) },
      parent: id,
      run: channel.run,
      agent: channel.agent,
      body: { ...outcome, ...(used ? { spent: { ...used } } : {}) },
      closes: id,
      ...(artifacts?.length ? { artifacts: artifacts.map(({ name, sha256, size }) => ({ name, sha256, size })) } : {}),
    });
    await settle?.(seq);
  }

  async function act<T>(
    channel: Channel,
    intent: Intent,
    effect: (id: string) => Promise<Effected<T>>,
    options?: BeginOptions,
  ): Promise<Acted<T>> {
    const begun = await begin(channel, intent, options);
    if (begun.verdict !== 'allow') return begun;
    const { outcome, value } = await effect(begun.id).catch(async (error: unknown) => {
      await end(channel, begun.id, { status: 'failed', reason: messageOf(error).slice(0, 2000), facts: {} });
      throw error;
    });
    const early = channel.budget === undefined && outcome.status === 'ok' ? options?.early : undefined;
    const recorded = end(channel, begun.id, outcome, early?.id);
    if (early) {
      recorded.catch(() => undefined); // whoever rests on it gets it
      early.begun(recorded);
    } else await recorded;
    return { ...begun, outcome, value };
  }

  return {
    policyVersion: policy.version,
    standing,
    begin,
    end,
    act,
    async explain(channel, intent, { approvals: given = 0, ...options } = {}) {
      const who = await identify(channel);
      if ('refused' in who)
        throw new AgovError('AGENT_NOT_ACTIVE', { what: who.refused, fix: 'See "agov agent list".' });
      const explained = policy.explain({ ...question(channel, who.tier, intent, options), approvals: given });
      const undone = intent.action === 'agent.spawn' ? undefined : refusalByLine(parts, channel, intent, options);
      if (!undone) return explained;
      return { ...explained, decision: refusal(undone.why), sentences: [undone.why] };
    },
    settle: () => settleOpenIntents(ledger),
    async violation(channel, what, details, parent) {
      const { agent, run } = channel;
      await ledger.append({ kind: 'violation', run, agent, ...(parent ? { parent } : {}), body: { what, details } });
    },
  };
}

/**
 * A gate for one consent of anybody is the same question as the policy's own, and whoever answered that has answered it.
 * Where the policy wants more than the gate, that many are asked.
 */
function termsOf(
  { requireApprovals = 1, roles = [] }: BeginOptions,
  { quorum = requireApprovals }: Decision,
): ApprovalTerms | undefined {
  return requireApprovals > 1 || roles.length > 0 ? { quorum, roles: [...new Set(roles)].sort() } : undefined;
}

const unknownToAll: Standing = { agent: undefined, stopped: undefined };

const noBudgets: Pick<Budgets, 'refusal' | 'take'> = {
  refusal: () => 'No budgets are kept here.',
  take: async () => ({ refused: 'No budgets are kept here.' }),
};

interface Ruling {
  readonly decision: Decision;
  readonly code?: 'BUDGET_EXCEEDED';
  readonly subject?: Parameters<typeof subjectHash>[0];
  readonly approval?: PendingApproval;
}

function usedMeanwhile(id: string, cause: unknown): AgovError {
  return new AgovError('APPROVAL_INVALID', {
    what: `Approval ${id} was used or denied a moment ago.`,
    why: 'An approval serves one intent, once.',
    fix: 'Ask again.',
    cause,
  });
}
