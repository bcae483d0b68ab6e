/** A pipeline's stages by name, the final ones included, and how they hang together. */
import { AgovError } from '../../../kernel/index.ts';
import type { Call, Pipeline, PipelineFile, Stage } from '../../../schemas/index.ts';

/** @throws AgovError INTERNAL for a name that validation would have found */
export function stageOf(pipeline: Pipeline, name: string): Stage {
  const place = isFinal(pipeline, name) ? pipeline.finally : pipeline.stages;
  const stage = Object.hasOwn(place, name) ? place[name] : undefined;
  if (!stage) throw new AgovError('INTERNAL', { what: `Stage "${name}" is not in the pipeline.` });
  return stage;
}

export function isFinal(pipeline: Pipeline, name: string): boolean {
  return Object.hasOwn(pipeline.finally, name) || callOf(pipeline, name)?.final === true;
}

/** The stage that stood for a template under that name. */
export function callOf({ expansion }: Pipeline, name: string): Call | undefined {
  return expansion && Object.hasOwn(expansion.calls, name) ? expansion.calls[name] : undefined;
}

/** The call whose template the stage is of: `deploy` for `deploy.apply`; empty for what the file itself has. */
export function callAround(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

/** The name that it has in its own file: `apply` for `deploy.apply`. No name as written has a dot. */
export function localName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Stages that came of the call, however deep; the stage itself where it is none. */
export function stagesUnder(pipeline: Pipeline, name: string): string[] {
  if (!callOf(pipeline, name)) return [name];
  const place = isFinal(pipeline, name) ? pipeline.finally : pipeline.stages;
  return Object.keys(place).filter((stage) => stage.startsWith(`${name}.`));
}

/** Stages and calls of the template of `call`, or where that is empty of the pipeline's own file. */
export function membersOf({ expansion, stages, finally: final }: Pipeline, call: string): string[] {
  if (!expansion) return [...Object.keys(stages), ...Object.keys(final)];
  return Object.keys(expansion.needs).filter((name) => callAround(name) === call);
}

/** Stages and calls of the same file or template that have ended for certain when this one starts. */
export function endedBefore(pipeline: Pipeline, name: string): ReadonlySet<string> {
  if (!pipeline.expansion) return ancestorsOf(pipeline, name);
  const { needs } = pipeline.expansion;
  return reached(name, (one) => (Object.hasOwn(needs, one) ? (needs[one] ?? []) : []));
}

/** Whether the stage runs once for each of several items. */
export function isMany(stage: Stage): boolean {
  return stage.foreach !== undefined || stage.matrix !== undefined;
}

/** All that must have ended before the stage may start, however far up. */
export function ancestorsOf(pipeline: Pipeline, name: string): ReadonlySet<string> {
  const stages = isFinal(pipeline, name) ? pipeline.finally : pipeline.stages;
  return reached(name, (one) => {
    const needs = Object.hasOwn(stages, one) ? (stages[one]?.needs ?? []) : [];
    return needs.filter((need) => Object.hasOwn(stages, need));
  });
}

function reached(from: string, needs: (name: string) => readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [from];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const need of needs(next)) {
      if (found.has(need)) continue;
      found.add(need);
      waiting.push(need);
    }
  }
  return found;
}

/** One cycle of `needs`, first stage repeated at the end, or undefined. */
export function findCycle(stages: PipelineFile['stages']): string[] | undefined {
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

/** Stages by how many must have ended before them, one after the other, at least. */
export function levelsOf(stages: Pipeline['stages']): readonly (readonly string[])[] {
  const level = new Map<string, number>();
  const names = Object.keys(stages);
  // Each round settles at least one stage, since validation has found every cycle.
  for (let left = names; left.length > 0; left = left.filter((name) => !level.has(name))) {
    const ready = left.filter((name) => (stages[name]?.needs ?? []).every((need) => level.has(need)));
    if (ready.length === 0) break;
    const found = ready.map((name) => {
      const before = (stages[name]?.needs ?? []).map((need) => (level.get(need) ?? 0) + 1);
      return [name, Math.max(0, ...before)] as const;
    });
    for (const [name, at] of found) level.set(name, at);
  }
  return Object.values(Object.groupBy(names, (name) => level.get(name) ?? 0)).map((one) => one ?? []);
}
