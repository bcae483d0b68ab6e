/** A pipeline file, read and understood, or all its faults with their places. */
import type { Tool } from '../../../adapters/tools/port.ts';
import {
  type Fault,
  faultsError,
  issuesOf,
  nearest,
  type Pipeline,
  pipelineSchema,
  readYaml,
  type Stage,
  type YamlPath,
} from '../../../schemas/index.ts';
import { hasHoles } from '../expressions/index.ts';
import { checkExpressions, type Report } from './check-expressions.ts';
import { checkParameters } from './parameters.ts';
import { findCycle } from './stages.ts';

export interface Known {
  /** Registered agents by name; undefined: not looked at. */
  readonly agents: ReadonlyMap<string, { readonly status: string }> | undefined;
  readonly tools: ReadonlyMap<string, Tool>;
}

export type ParseResult =
  | { readonly ok: true; readonly pipeline: Pipeline }
  | { readonly ok: false; readonly faults: Fault[] };

export function parsePipeline(text: string, file: string, known: Known): ParseResult {
  const result = readYaml(pipelineSchema, text, file);
  if (!result.ok) return result;
  const { value: pipeline, fault } = result;
  const faults: Fault[] = [];
  const report: Report = (path, message, suggestion) => {
    faults.push(fault(path, message, suggestion));
  };
  checkParameters(pipeline, report);
  for (const place of ['stages', 'finally'] as const) {
    const stages = pipeline[place];
    for (const name of Object.keys(stages)) checkStage(pipeline, place, name, known, report);
    const cycle = findCycle(stages);
    if (cycle) report([place, cycle[0] ?? '', 'needs'], `The stages need each other: ${cycle.join(' → ')}.`);
  }
  return faults.length === 0 ? { ok: true, pipeline } : { ok: false, faults };
}

function checkStage(pipeline: Pipeline, place: 'stages' | 'finally', name: string, known: Known, report: Report): void {
  const stages = pipeline[place];
  const at = [place, name];
  const stage = stages[name];
  if (!stage) return;
  if (place === 'finally' && Object.hasOwn(pipeline.stages, name)) {
    report(at, `There is a stage "${name}" already.`);
    return;
  }
  for (const [i, need] of stage.needs.entries()) {
    if (Object.hasOwn(stages, need)) continue;
    if (place === 'finally' && Object.hasOwn(pipeline.stages, need)) {
      report([...at, 'needs', i], 'Final stages come after all others, and need each other alone.');
    } else {
      report([...at, 'needs', i], `There is no stage "${need}".`, nearest(need, Object.keys(stages)));
    }
  }
  checkAgent(stage.agent, known, (message, hint) => report([...at, 'agent'], message, hint));
  checkCommand(stage, at, known, report);
  if (stage.compensate) checkCommand(stage.compensate, [...at, 'compensate'], known, report);
  const leases = Object.keys(stage.secrets).length > 0;
  for (const [artifact, source] of Object.entries(stage.artifacts)) {
    if (!leases || source === 'stdout') continue;
    const message = `A command that holds secrets may write one into "${source}", and a file is kept as it is.`;
    report([...at, 'artifacts', artifact], `${message} Print it (stdout is redacted), or collect it in a later stage.`);
  }
  checkExpressions(pipeline, name, at, report);
}

type Command = Pick<Stage, 'uses' | 'with' | 'secrets'>;

function checkCommand(command: Command, at: YamlPath, known: Known, report: Report): void {
  if (command.uses === undefined) return;
  checkTool(command.uses, command.with ?? {}, known, at, report);
  if (Object.keys(command.secrets).length > 0) {
    report([...at, 'secrets'], 'Secrets are leased to commands ("run"), not to tools.');
  }
}

/** The pipeline. @throws PIPELINE_INVALID with every fault */
export function mustParse(text: string, file: string, known: Known): Pipeline {
  const result = parsePipeline(text, file, known);
  if (result.ok) return result.pipeline;
  throw faultsError('PIPELINE_INVALID', file, result.faults);
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
