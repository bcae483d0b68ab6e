/** A child's work: the run of its definition on its task. */
import type { RunAgent } from '../../agents/index.ts';
import type { ChildEnd, ChildJob, ChildWish } from './types.ts';

const mostText = 262_144;

export interface RunParts {
  runAgent(): Promise<RunAgent>;
}

export async function runByDefinition(
  parts: RunParts,
  { definition, task, input }: Pick<ChildWish, 'definition' | 'task' | 'input'>,
  { channel, intent, signal }: ChildJob,
  timeoutMs?: number,
): Promise<ChildEnd> {
  const run = await parts.runAgent();
  const acted = await run({
    channel,
    as: definition,
    task,
    input,
    begin: { parent: intent },
    signal,
    ...(timeoutMs === undefined ? {} : { timeoutMs: Math.max(1, timeoutMs) }),
  });
  if (acted.verdict !== 'allow') {
    const end = acted.verdict === 'ask' ? 'asked' : 'denied';
    return { status: 'failed', end, exitCode: 77, reason: acted.decision.reasons[0] ?? end, text: '' };
  }
  const { value, outcome } = acted;
  return {
    ...{ status: outcome.status, end: value.end, exitCode: value.exitCode, text: value.text.slice(0, mostText) },
    ...(value.reason === undefined ? {} : { reason: value.reason }),
    ...(value.output === undefined ? {} : { output: value.output }),
  };
}

export function failedWith(reason: string, end = 'failed'): ChildEnd {
  return { status: 'failed', end, exitCode: 1, reason: reason.slice(0, 2000), text: '' };
}
