/**
 * A run of an agent that is a language model: one intent over all that it asks, whose outcome says how it ended. When it
 * waits for an approval its conversation is kept, and goes on from there the next time.
 */
import type { Model } from '../../../adapters/models/port.ts';
import type { Approvals } from '../../../governance/approvals/index.ts';
import type { Acted, BeginOptions, Channel, Effected } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, canonicalJson, formatDuration, parseDuration, sha256Hex } from '../../../kernel/index.ts';
import type { Decision, LlmDefinition, Tier } from '../../../schemas/index.ts';
import { activeAgent } from '../acting/active.ts';
import type { AgentJob, AgentResult } from '../kinds/types.ts';
import type { AgentOperations, Seat } from '../operations/index.ts';
import { abilitiesOf, type Workbench } from './abilities.ts';
import { mustHavePrices, withBudget } from './budget.ts';
import { sentencesOf, stopsTheRecord } from './call/fatal.ts';
import { Stopped } from './call/model-call.ts';
import { asking, type Scene, type TurnParts } from './call/turn.ts';
import { converse, stopped } from './loop.ts';
import { outcomeOf } from './outcome.ts';
import { findParked } from './parked.ts';
import { answerShape } from './talk/answer.ts';
import { briefing, marksOf } from './talk/words.ts';
import type { Ended, Talk } from './types.ts';

export interface LlmParts extends TurnParts {
  readonly ledger: Ledger;
  readonly approvals: Approvals;
  readonly tools: Workbench['tools'];
  /** @throws NOT_FOUND for a name that agov.yaml has not */
  model(name: string): Promise<Model>;
  operations(seat: Seat): Promise<AgentOperations>;
}

export type LlmJob = AgentJob & { readonly llm: LlmDefinition };

export async function runLlm(parts: LlmParts, job: LlmJob): Promise<Acted<AgentResult>> {
  const { channel, llm, definition, task, input } = job;
  const parked = await findParked(parts, channel, job.begin);
  const intent = {
    action: 'model.call',
    resource: llm.model,
    args: {
      ...{ definition: sha256Hex(definition.text), task: sha256Hex(task) },
      ...(input === undefined ? {} : { input: sha256Hex(canonicalJson(input)) }),
      ...(parked ? { goesOn: parked.sha256 } : {}),
    },
  } as const;
  // What a gate asked for was given when it began.
  const { requireApprovals: _given, ...goesOn } = job.begin;
  const begin: BeginOptions = parked ? goesOn : job.begin;
  const acted = await parts.governor.act(channel, intent, (id) => perform(parts, job, id, parked?.talk), begin);
  return acted.verdict === 'allow' ? asAsked(parts, acted) : acted;
}

type Allowed = Extract<Acted<AgentResult>, { verdict: 'allow' }>;

/** A conversation that waits asks as what it waits for does, so that whoever drives it puts the question. */
function asAsked({ approvals, ledger }: LlmParts, acted: Allowed): Acted<AgentResult> {
  const { asked } = acted.value;
  if (!asked) return acted;
  const approval = approvals.pending().find(({ id }) => id === asked.approval);
  const decision = ledger.byId(asked.intent)?.body['decision'] as Decision | undefined; // written by the governor alone
  if (approval && decision) return { verdict: 'ask', id: asked.intent, decision, approval };
  throw new AgovError('APPROVAL_INVALID', {
    what: `Approval ${asked.approval} was answered or ran out while it was asked for.`,
    fix: 'Try again.',
  });
}

async function perform(
  parts: LlmParts,
  job: LlmJob,
  id: string,
  before: Talk | undefined,
): Promise<Effected<AgentResult>> {
  const { env, governor, budgets } = parts;
  const began = env.monotonic();
  const { tier } = await activeAgent(governor, job.channel);
  const model = await parts.model(job.llm.model);
  const channel = await withBudget(parts.budgets, job);
  mustHavePrices(parts.budgets, model, channel);
  const talk = before ?? beginning(parts, job, tier);
  const late = new AbortController();
  const { ms, why } = timeLeft(parts, job, channel);
  using _timeout = env.timer(() => late.abort(new Error(why)), ms);
  const signal = AbortSignal.any([job.signal, late.signal]);
  // Where it hands in a value, what it says on the way is not the answer.
  const said = job.llm.output === undefined ? job.stdout : job.stderr;
  const onText = said && ((piece: string): void => void said.write(piece));
  const scene: Scene = { channel, parent: id, llm: job.llm, model, talk, signal, ...(onText ? { onText } : {}) };
  const ended = await conversation(parts, job, scene).catch((error: unknown): Ended => {
    if (signal.aborted) return stopped(signal);
    if (error instanceof Stopped) return { end: 'stopped', reason: error.message, text: '' };
    if (stopsTheRecord(error)) throw error;
    return { end: 'failed', reason: sentencesOf(error), text: '' };
  });
  const hasBudget = channel.budget !== undefined && !job.signal.aborted;
  const isOverBudget = ended.end === 'stopped' && hasBudget && budgets.refusal(channel) !== undefined;
  const named: Ended = isOverBudget ? { ...ended, end: 'budget' } : ended;
  return outcomeOf(parts.artifacts, job, { talk, ended: named, durationMs: env.monotonic() - began });
}

async function conversation(parts: LlmParts, { definition, stderr }: LlmJob, scene: Scene): Promise<Ended> {
  const { llm, signal, talk } = scene;
  await using operations = await parts.operations(scene);
  const bench = { operations: operations.table, tools: parts.tools, secrets: definition.value.secrets };
  return converse(
    {
      ...{ definition: llm, signal, marks: marksOf(talk.mark), ask: asking(parts, scene) },
      abilities: abilitiesOf(llm.tools, bench),
      shape: llm.output === undefined ? undefined : answerShape(llm.output),
      onCall({ name, input }, said) {
        stderr?.write(`${said === 'ok' ? '▸' : '✗'} ${name} ${input.slice(0, 200)}: ${said}\n`);
      },
    },
    talk,
  );
}

function timeLeft(
  { budgets }: LlmParts,
  { llm, timeoutMs }: LlmJob,
  { budget, overdraws }: Channel,
): { ms: number; why: string } {
  const own = Math.min(parseDuration(llm.limits.timeout), timeoutMs ?? Number.POSITIVE_INFINITY);
  const left = budget === undefined ? undefined : budgets.remaining(budget, overdraws).ms;
  if (left !== undefined && left < own) return { ms: left, why: 'The minutes of its budget are over.' };
  return { ms: own, why: `It took longer than ${formatDuration(own)}.` };
}

function beginning({ env }: LlmParts, { channel, llm, definition, task, input }: LlmJob, tier: Tier): Talk {
  const mark = Buffer.from(env.random(8)).toString('hex');
  const about = { agent: channel.agent, tier, instructions: definition.instructions ?? llm.instructions, task, input };
  const messages = briefing({ ...about, answers: llm.output !== undefined }, marksOf(mark));
  return { messages, steps: 0, spent: { tokens: 0, moneyMicros: 0 }, history: [], reminders: 0, mark };
}
