/** A pipeline file, read and understood, or all its faults with their places. */
import type { Tool } from '../../adapters/tools/port.ts';
import {
  type Fault,
  faultsError,
  nearest,
  type Pipeline,
  pipelineSchema,
  readYaml,
  type YamlPath,
} from '../../schemas/index.ts';

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
  const report = (path: YamlPath, message: string, suggestion?: string): void => {
    faults.push(fault(path, message, suggestion));
  };
  for (const [name, stage] of Object.entries(pipeline.stages)) {
    const at = ['stages', name];
    for (const [i, need] of stage.needs.entries()) {
      if (Object.hasOwn(pipeline.stages, need)) continue;
      report([...at, 'needs', i], `There is no stage "${need}".`, nearest(need, Object.keys(pipeline.stages)));
    }
    checkAgent(stage.agent, known, (message, hint) => report([...at, 'agent'], message, hint));
    if (stage.uses !== undefined) checkTool(stage.uses, stage.with ?? {}, known, at, report);
    const leases = Object.keys(stage.secrets).length > 0;
    for (const [artifact, source] of Object.entries(stage.artifacts)) {
      if (!leases || source === 'stdout') continue;
      const message = `A command that holds secrets may write one into "${source}", and a file is kept as it is.`;
      report(
        [...at, 'artifacts', artifact],
        `${message} Print it (stdout is redacted), or collect it in a later stage.`,
      );
    }
    if (stage.uses !== undefined && leases) {
      report([...at, 'secrets'], 'Secrets are leased to commands ("run"), not to tools.');
    }
  }
  const cycle = findCycle(pipeline);
  if (cycle) report(['stages', cycle[0] ?? '', 'needs'], `The stages need each other: ${cycle.join(' → ')}.`);
  return faults.length === 0 ? { ok: true, pipeline } : { ok: false, faults };
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
  report: (path: YamlPath, message: string, hint?: string) => void,
): void {
  const tool = tools.get(name);
  if (!tool) {
    report([...at, 'uses'], `There is no tool "${name}".`, nearest(name, tools.keys()));
    return;
  }
  const parsed = tool.args.safeParse(args);
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const where = path.length > 0 ? `${path.join('.')}: ` : '';
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const hint = unknown === undefined ? undefined : nearest(unknown, Object.keys(tool.args.shape));
    report(
      [...at, 'with', ...path, ...(unknown === undefined ? [] : [unknown])],
      `${name}: ${where}${issue.message}.`,
      hint,
    );
  }
}

/** One cycle of `needs`, first stage repeated at the end, or undefined. */
function findCycle({ stages }: Pipeline): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    const from = path.indexOf(name);
    if (from >= 0) return [...path.slice(from), name];
    if (done.has(name)) return undefined;
    for (const need of stages[name]?.needs ?? []) {
      const cycle = visit(need, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(stages)) {
    const cycle = visit(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}
