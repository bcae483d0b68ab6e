/** One stage as it will run: its agent, its tool, its artifacts, and every expression in it. */
import type { Tool } from '../../../../adapters/tools/port.ts';
import { issuesOf, nearest, type Pipeline, type Stage, type YamlPath } from '../../../../schemas/index.ts';
import { hasHoles } from '../../expressions/index.ts';
import { isFinal, stageOf } from '../stages.ts';
import { checkExpressions } from './expressions.ts';
import { checkConsents, checkGates, type Operators } from './gates.ts';
import type { Report } from './report.ts';

export interface Known {
  /** Registered agents by name; undefined: not looked at. */
  readonly agents: ReadonlyMap<string, { readonly status: string }> | undefined;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly operators?: Operators;
  /** Why the agent of a task cannot be run by its definition; undefined where it can. Absent: not looked at. */
  definitionFault?(agent: string): string | undefined;
  /** Who leads the team, or why it cannot be run. Absent: not looked at. */
  teamLead?(team: string): { readonly lead: string } | { readonly fault: string };
}

export interface StagePlace {
  /** Where it is written, in its own file. */
  readonly at: YamlPath;
  readonly report: Report;
  /** About its agent, where that name stands; absent while nobody has named one. */
  readonly agent: ((message: string, suggestion?: string) => void) | undefined;
  /** It reads what cannot be known for another fault. */
  readonly unreadable: boolean;
}

export function checkStage(pipeline: Pipeline, name: string, known: Known, place: StagePlace): void {
  const { at, report, agent, unreadable } = place;
  const stage = stageOf(pipeline, name);
  if (agent) checkAgent(stage.agent, known, agent);
  checkCommand(stage, at, known, report);
  if (stage.compensate) checkCommand(stage.compensate, [...at, 'compensate'], known, report);
  const undefinedAgent = [stage, stage.compensate].some((one) => one?.task !== undefined)
    ? known.definitionFault?.(stage.agent)
    : undefined;
  if (undefinedAgent !== undefined) agent?.(undefinedAgent);
  if (stage.team !== undefined) checkTeam(stage.team, stage.agent, known, at, report);
  checkBudget(pipeline, name, at, report);
  const leases = Object.keys(stage.secrets).length > 0;
  for (const [artifact, source] of Object.entries(stage.artifacts)) {
    if (!leases || source === 'stdout') continue;
    const message = `A command that holds secrets may write one into "${source}", and a file is kept as it is.`;
    report([...at, 'artifacts', artifact], `${message} Print it (stdout is redacted), or collect it in a later stage.`);
  }
  checkConsents(stage, at, known.operators, report);
  if (unreadable) return;
  checkExpressions(pipeline, name, at, report);
  checkGates(pipeline, name, at, report);
}

/** Nobody has more than what is above them; and what ends a run is not held to a budget. */
function checkBudget(pipeline: Pipeline, name: string, at: YamlPath, report: Report): void {
  const { budget, retry } = stageOf(pipeline, name);
  const again = retry?.on?.indexOf('BUDGET_EXCEEDED') ?? -1;
  if (again >= 0)
    report(
      [...at, 'retry', 'on', again],
      'A budget that is used up does not come back: nothing is tried again after it.',
    );
  if (budget === undefined) return;
  if (isFinal(pipeline, name)) {
    report(
      [...at, 'budget'],
      'A final stage is held to no budget, so that a run always comes to its end. Give it a "timeout".',
    );
    return;
  }
  for (const kind of ['money', 'tokens', 'minutes', 'actions'] as const) {
    const [own, whole] = [budget[kind], pipeline.budget?.[kind]];
    if (own === undefined || whole === undefined || own <= whole) continue;
    report([...at, 'budget', kind], `The stage may not have ${own} ${kind} of a pipeline that has ${whole}.`);
  }
}

function checkTeam(team: string, agent: string, { teamLead }: Known, at: YamlPath, report: Report): void {
  const found = teamLead?.(team);
  if (!found) return;
  if ('fault' in found) report([...at, 'team'], found.fault);
  else if (found.lead !== agent) {
    report([...at, 'team'], `The team "${team}" is led by "${found.lead}", and the agent of this stage is "${agent}".`);
  }
}

type Command = Pick<Stage, 'uses' | 'task' | 'with' | 'secrets'>;

function checkCommand(command: Command, at: YamlPath, known: Known, report: Report): void {
  if (command.task !== undefined && Object.keys(command.secrets).length > 0) {
    report([...at, 'secrets'], 'The secrets of a task are in the definition of its agent (agents/NAME.yaml).');
  }
  if (command.uses === undefined) return;
  checkTool(command.uses, command.with ?? {}, known, at, report);
  if (Object.keys(command.secrets).length > 0) {
    report([...at, 'secrets'], 'Secrets are leased to commands ("run"), not to tools.');
  }
}

function checkAgent(name: string, { agents }: Known, report: (message: string, hint?: string) => void): void {
  const agent = agents?.get(name);
  if (agents && !agent)
    report(`There is no agent "${name}"; add it with "agov agent add ${name}".`, nearest(name, agents.keys()));
  if (agent && agent.status !== 'active') report(`Agent "${name}" is ${agent.status}.`);
}

function checkTool(
  name: string,
  args: Readonly<Record<string, unknown>>,
  { tools }: Known,
  at: YamlPath,
  report: Report,
): void {
  const tool = tools.get(name);
  if (!tool) {
    report([...at, 'uses'], `There is no tool "${name}".`, nearest(name, tools.keys()));
    return;
  }
  const parsed = tool.args.safeParse(args);
  if (parsed.success) return;
  for (const { path, key, message, suggestion } of issuesOf(tool.args, args, parsed.error.issues)) {
    // What is filled in at the run is looked at then.
    if (!isFilledIn(args, path))
      report([...at, 'with', ...path, ...(key === undefined ? [] : [key])], `${name}: ${message}`, suggestion);
  }
}

function isFilledIn(args: unknown, path: readonly (string | number)[]): boolean {
  let value = args;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) break;
    value = Reflect.get(value, part);
  }
  return typeof value === 'string' && hasHoles(value);
}
