/** Which of the events that a run was signalled opens a gate: the first of its name for which `where` holds. */
import { isAgovError } from '../../../../kernel/index.ts';
import type { EventGate, EvidenceGate, Stage } from '../../../../schemas/index.ts';
import { compileExpression, type Scope, type Values } from '../../expressions/index.ts';
import type { Signal } from '../../journal/index.ts';

export function eventGateOf({ gate }: Pick<Stage, 'gate'>): EventGate | undefined {
  return gate === 'approval' ? undefined : gate?.event;
}

export function evidenceOf({ gate }: Pick<Stage, 'gate'>): readonly EvidenceGate[] {
  return gate === 'approval' ? [] : (gate?.evidence ?? []);
}

/** One that came after `until` came too late. */
export function firstMatching(
  signals: readonly Signal[],
  { name, where }: EventGate,
  until: number | undefined,
  scope: Scope,
  values: Values,
): Signal | undefined {
  const compiled = where === undefined ? undefined : compileExpression(where, scope, 'bool');
  return signals.find((signal) => {
    if (signal.name !== name || (until !== undefined && signal.at > until)) return false;
    if (compiled === undefined) return true;
    const event = { data: signal.data, operator: signal.operator };
    return compiled.ok && holds(() => compiled.expression.evaluate({ ...values, event }));
  });
}

/** An event that the condition cannot be asked of is another one than was meant. */
function holds(evaluate: () => unknown): boolean {
  try {
    return evaluate() === true;
  } catch (error) {
    if (isAgovError(error, 'INPUT_INVALID')) return false;
    throw error;
  }
}
