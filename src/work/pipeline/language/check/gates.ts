/** Gates, locks and groups: whether what they name is there, and whether their expressions can be evaluated. */
import {
  consentOf,
  type EvidenceGate,
  type Gate,
  nearest,
  type Pipeline,
  type Stage,
  type YamlPath,
} from '../../../../schemas/index.ts';
import { compileExpression, type ExpressionFault, hasHoles } from '../../expressions/index.ts';
import { eventGateOf, evidenceOf } from '../scope/event.ts';
import { evidenceStage, lockVariable } from '../scope/names.ts';
import { commandScope, groupScope, holdsScope, readableBy } from '../scope/scope.ts';
import { callAround, callOf, localName, membersOf, stageOf } from '../stages.ts';
import { checkText, type Tell, teller } from './expressions.ts';
import type { Report } from './report.ts';

/** Operators as agov.yaml lists them; undefined: not looked at. */
export type Operators = readonly { readonly name: string; readonly roles: readonly string[] }[] | undefined;

/** Whether somebody can open the gate. */
export function checkConsents(
  { gate, compensate }: Pick<Stage, 'gate' | 'compensate'>,
  at: YamlPath,
  operators: Operators,
  report: Report,
): void {
  checkConsent(gate, [...at, 'gate'], operators, report);
  checkConsent(compensate?.gate, [...at, 'compensate', 'gate'], operators, report);
}

export function checkGates(pipeline: Pipeline, name: string, at: YamlPath, report: Report): void {
  const stage = stageOf(pipeline, name);
  const tell = teller(pipeline, name, at, report);
  for (const [i, one] of evidenceOf(stage).entries()) {
    checkEvidence(pipeline, name, one, ['gate', 'evidence', i], tell);
  }
  const where = eventGateOf(stage)?.where;
  const compiled = where === undefined ? undefined : compileExpression(where, commandScope(pipeline, name), 'bool');
  if (compiled && !compiled.ok) tell(['gate', 'event', 'where'], compiled.fault);
  checkLocks(pipeline, name, tell);
}

export function checkGroup(pipeline: Pipeline, report: Report): void {
  const group = pipeline.concurrency?.group;
  const at = ['concurrency'];
  if (group !== undefined) checkText(group, ['group'], groupScope(pipeline), teller(pipeline, '', at, report));
}

function checkConsent(gate: Gate | undefined, at: YamlPath, operators: Operators, report: Report): void {
  const consent = consentOf(gate);
  if (!consent || typeof gate !== 'object' || !operators) return;
  const { quorum, roles = [] } = consent;
  const known = [...new Set(operators.flatMap((operator) => operator.roles))];
  let unknown = false;
  for (const [i, role] of roles.entries()) {
    if (known.includes(role)) continue;
    unknown = true;
    report([...at, 'approval', 'roles', i], `No operator in agov.yaml has the role "${role}".`, nearest(role, known));
  }
  const able = operators.filter((one) => roles.length === 0 || one.roles.some((role) => roles.includes(role))).length;
  if (unknown || able >= quorum) return;
  const who = roles.length === 0 ? 'operators' : `operators with the role ${roles.join(' or ')}`;
  report([...at, 'approval', 'quorum'], `It needs ${quorum} ${who}, and agov.yaml lists ${able}.`);
}

function checkEvidence(pipeline: Pipeline, name: string, one: EvidenceGate, at: YamlPath, tell: Tell): void {
  const { stage: other, artifact, holds } = one;
  const unfit = unfitStage(pipeline, name, one);
  if (unfit) {
    tell([...at, 'stage'], unfit);
    return;
  }
  const full = evidenceStage(name, one);
  const declared = Object.keys(stageOf(pipeline, full).artifacts);
  if (!declared.includes(artifact)) {
    const message = `Stage "${other}" declares no artifact "${artifact}".`;
    tell([...at, 'artifact'], { message, suggestion: nearest(artifact, declared) });
  }
  const compiled = holds === undefined ? undefined : compileExpression(holds, holdsScope(pipeline, name, full), 'bool');
  if (compiled && !compiled.ok) tell([...at, 'holds'], compiled.fault);
}

/** Why the stage can be no evidence for `name`. */
function unfitStage(pipeline: Pipeline, name: string, one: EvidenceGate): ExpressionFault | undefined {
  const full = evidenceStage(name, one);
  const [other, readable] = [one.stage, readableBy(pipeline, name)];
  if (full === name) return { message: 'A stage cannot be its own evidence.' };
  if (!membersOf(pipeline, callAround(name)).includes(full)) {
    return { message: `There is no stage "${other}".`, suggestion: nearest(other, readable.map(localName)) };
  }
  if (!readable.includes(full)) {
    return { message: `Stage "${other}" is not among what this stage needs: add it to "needs".` };
  }
  if (!callOf(pipeline, full)) return undefined;
  return { message: `"${other}" stands for a template, and keeps no artifacts itself: put the gate inside it.` };
}

function checkLocks(pipeline: Pipeline, name: string, tell: Tell): void {
  const seen = new Map<string, string>();
  for (const [i, lock] of (stageOf(pipeline, name).locks ?? []).entries()) {
    if (hasHoles(lock)) {
      checkText(lock, ['locks', i], commandScope(pipeline, name), tell);
      continue;
    }
    const variable = lockVariable(lock);
    const other = seen.get(variable);
    if (other === lock) tell(['locks', i], { message: `The lock "${lock}" is named twice.` });
    else if (other !== undefined) {
      tell(['locks', i], { message: `The locks "${other}" and "${lock}" would share the variable ${variable}.` });
    }
    seen.set(variable, lock);
  }
}
