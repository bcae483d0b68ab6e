/** Names of locks and groups as a run has them: filled in, bounded, in one order for all; and of stages that gates mean. */
import { AgovError } from '../../../../kernel/index.ts';
import { type EvidenceGate, lockNameSchema } from '../../../../schemas/index.ts';
import { callAround } from '../stages.ts';

/** In which a command finds the token of a lock. */
export function lockVariable(name: string): string {
  return `AGOV_LOCK_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/** @throws AgovError INPUT_INVALID for one that no lock can have; what values fill in is known at the run alone */
export function boundedLockName(name: string): string {
  const parsed = lockNameSchema.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new AgovError('INPUT_INVALID', {
    what: `"${name.slice(0, 80)}" cannot name a lock or a group.`,
    why: 'It takes 1 to 128 letters, digits and . _ / - between them.',
    fix: 'Correct the parameter or the expression that fills it in.',
  });
}

/** Each once, sorted: whoever takes several takes them in this order. @throws AgovError INPUT_INVALID */
export function lockNames(names: readonly string[]): readonly string[] {
  const sorted = [...new Set(names.map(boundedLockName))].sort();
  const variables = sorted.map(lockVariable);
  const twice = variables.find((variable, i) => variables.indexOf(variable) !== i);
  if (twice === undefined) return sorted;
  throw new AgovError('INPUT_INVALID', {
    what: `Two locks of one stage would share the variable ${twice}.`,
    why: `They are ${sorted.filter((name) => lockVariable(name) === twice).join(' and ')}.`,
    fix: 'Give them names that differ in letters or digits.',
  });
}

/** What the gate of `name` means by a stage of its own file. */
export function evidenceStage(name: string, { stage }: EvidenceGate): string {
  const around = callAround(name);
  return around === '' ? stage : `${around}.${stage}`;
}
