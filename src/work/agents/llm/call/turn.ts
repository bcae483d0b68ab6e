/** One turn: what of the conversation is shown, what the budget pays for, the call, and what it comes to. */
import type { Model, ModelAnswer, ModelMessage, ModelTool } from '../../../../adapters/models/port.ts';
import type { Budgets, Limits } from '../../../../governance/budgets/index.ts';
import type { LlmDefinition } from '../../../../schemas/index.ts';
import type { Seat } from '../../operations/index.ts';
import { createScale, fitting } from '../talk/context.ts';
import type { Ended, Talk } from '../types.ts';
import { allowanceFor } from './allowance.ts';
import { type Called, callModel, type ModelCallParts } from './model-call.ts';

export interface TurnParts extends ModelCallParts {
  readonly budgets: Budgets;
}

export interface Scene extends Seat {
  readonly llm: LlmDefinition;
  readonly model: Model;
  readonly talk: Talk;
  readonly signal: AbortSignal;
  onText?(piece: string): void;
}

export type Ask = (messages: readonly ModelMessage[], tools: readonly ModelTool[]) => Promise<ModelAnswer | Ended>;

export function asking(parts: TurnParts, scene: Scene): Ask {
  const { llm, model, talk, channel, onText } = scene;
  const scale = createScale();
  const window = Math.min(model.context, llm.limits.context ?? model.context);
  // The answer needs its room in the same window.
  const room = window - Math.min(model.maxOutput, window / 2);

  return async (messages, tools) => {
    const extra = Buffer.byteLength(JSON.stringify(tools));
    const shown = fitting(messages, room, (some) => scale.tokens(some, extra));
    if (!shown) return without('failed', 'The task does not fit into what the model takes in (limits.context).');
    const { budget, overdraws } = channel;
    const left: Limits = budget === undefined ? {} : parts.budgets.remaining(budget, overdraws);
    const allowance = allowanceFor(model, scale.tokens(shown, extra), left);
    if (allowance === 'spent') return without('budget', 'What is left of the budget pays for no further answer.');
    const called = await callModel(parts, {
      ...{ ...scene, ...allowance, step: talk.steps + 1, messages: shown, tools },
      ...(onText ? { onText } : {}),
    });
    if (called.verdict !== 'allow') return refusedCall(called);
    const { answer, spent } = called;
    if (answer.text !== '') onText?.('\n');
    if (answer.usage) scale.learn(shown, extra, answer.usage.input);
    talk.spent = {
      tokens: talk.spent.tokens + spent.tokens,
      moneyMicros: talk.spent.moneyMicros + spent.moneyMicros,
    };
    return answer;
  };
}

function refusedCall(called: Exclude<Called, { verdict: 'allow' }>): Ended {
  const reason = called.decision.reasons[0] ?? 'No policy permits it.';
  if (called.verdict === 'ask')
    return { ...without('parked', reason), asked: { approval: called.approval.id, intent: called.id } };
  return without(called.code === 'BUDGET_EXCEEDED' ? 'budget' : 'stopped', reason);
}

function without(end: Ended['end'], reason: string): Ended {
  return { end, reason, text: '' };
}
