/** Puts the stages of templates in the place of those that stand for them, until the pipeline is flat. */
import type { JsonObject } from '../../../../kernel/index.ts';
import type { Call, Expansion, Stage, WrittenStage, YamlPath } from '../../../../schemas/index.ts';
import { meansTemplate } from '../../../../schemas/index.ts';
import { fixStage } from './fixed.ts';
import { type Frame, fullName, type ReportAt } from './frame.ts';
import type { Library, Refusal } from './source/library.ts';
import type { Module, Place } from './source/module.ts';

export interface Expanded {
  readonly stages: Record<string, Stage>;
  readonly finally: Record<string, Stage>;
  readonly expansion: Omit<Expansion, 'files'>;
  /** Where each stage is written, by its full name. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** By the name of the call. One whose template is not known is not here. */
  readonly frames: ReadonlyMap<string, Frame>;
  /** Names of calls whose template cannot be had: what reads their outputs cannot be looked at. */
  readonly broken: ReadonlySet<string>;
}

export interface Origin {
  readonly module: Module;
  readonly at: YamlPath;
  readonly agentAt: Place | undefined;
}

export interface ExpandParts {
  readonly library: Library;
  readonly report: ReportAt;
  /** Looks once at each document that is used. */
  check(module: Module): void;
  /** What is written is templates alone, which nobody uses yet. */
  readonly open: boolean;
}

const maxStages = 1000;
const maxDepth = 8;

export function expand(parts: ExpandParts, root: Module): Expanded {
  const work = createWork(parts);
  work.enter({ name: '', module: root, with: {}, by: undefined, final: false }, [root.id]);
  const { calls, needs } = work;
  const flat = flattened(calls, needs);
  const withNeeds = (stages: Record<string, Stage>): Record<string, Stage> =>
    Object.fromEntries(Object.entries(stages).map(([name, stage]) => [name, { ...stage, needs: flat(name) }]));
  return { ...work, stages: withNeeds(work.stages), finally: withNeeds(work.finally), expansion: { calls, needs } };
}

function createWork({ library, report, check, open }: ExpandParts) {
  const stages: Record<string, Stage> = {};
  const final: Record<string, Stage> = {};
  const calls: Record<string, Call> = {};
  const needs: Record<string, readonly string[]> = {};
  const [origins, frames, broken] = [new Map<string, Origin>(), new Map<string, Frame>(), new Set<string>()];
  let full = false;

  const enter = (frame: Frame, chain: readonly string[]): void => {
    frames.set(frame.name, frame);
    check(frame.module);
    for (const place of ['stages', 'finally'] as const) {
      const last = frame.final || place === 'finally';
      for (const [local, stage] of Object.entries(frame.module[place])) {
        const name = fullName(frame, local);
        needs[name] = stage.needs
          .filter((need) => Object.hasOwn(frame.module[place], need))
          .map((need) => fullName(frame, need));
        const at = [place, local];
        if (meansTemplate(stage.uses)) call(frame, stage, { name, at, last }, chain);
        else put(frame, stage, { name, at, last });
      }
    }
  };

  const put = (frame: Frame, stage: WrittenStage, { name, at, last }: Spot): void => {
    if (origins.size >= maxStages) {
      if (!full)
        report({ module: frame.module, path: at }, `With its templates the pipeline has over ${maxStages} stages.`);
      full = true;
      return;
    }
    const { stage: fixed, agentAt } = fixStage(frame, stage, at, open, report);
    (last ? final : stages)[name] = { ...fixed, agent: fixed.agent ?? '' };
    origins.set(name, { module: frame.module, at, agentAt });
  };

  const call = (frame: Frame, stage: WrittenStage, { name, at, last }: Spot, chain: readonly string[]): void => {
    const uses = stage.uses ?? '';
    const given = (stage.with ?? {}) as JsonObject;
    const refuse = (message: string, suggestion?: string): void => {
      broken.add(name);
      calls[name] = { template: uses, parameters: {}, with: {}, when: stage.when, outputs: {}, final: last };
      report({ module: frame.module, path: [...at, 'uses'] }, message, suggestion);
    };
    if (full) return;
    const found = library.find(uses, frame.module);
    const refusal = 'message' in found ? found : unending(found, chain);
    if (refusal || 'message' in found) {
      refuse(refusal?.message ?? '', refusal?.suggestion);
      return;
    }
    const { parameters, outputs } = found;
    calls[name] = { template: uses, parameters, with: given, when: stage.when, outputs, final: last };
    enter({ name, module: found, with: given, by: { frame, at }, final: last }, [...chain, found.id]);
  };

  return { stages, finally: final, calls, needs, origins, frames, broken, enter };
}

/** `chain`: the documents around it, from the pipeline in. */
function unending({ id }: Module, chain: readonly string[]): Refusal | undefined {
  if (chain.includes(id)) {
    const circle = [...chain.slice(chain.indexOf(id)), id];
    return { message: `The templates use each other: ${circle.join(' → ')}.` };
  }
  return chain.length > maxDepth ? { message: `Templates are used more than ${maxDepth} deep here.` } : undefined;
}

interface Spot {
  readonly name: string;
  readonly at: YamlPath;
  readonly last: boolean;
}

/**
 * What a stage needs among the stages that run. For a call: the last of its own; and the first ones of a template need
 * what their call needs.
 */
function flattened(
  calls: Readonly<Record<string, Call>>,
  needs: Readonly<Record<string, readonly string[]>>,
): (name: string) => string[] {
  const needed = new Set(Object.values(needs).flat());
  const children = Map.groupBy(Object.keys(needs), parentOf);
  const ends = remembered((name: string): string[] =>
    Object.hasOwn(calls, name)
      ? (children.get(name) ?? []).filter((one) => !needed.has(one)).flatMap((one) => ends(one))
      : [name],
  );
  const flat = remembered((name: string): string[] => {
    const own = needs[name] ?? [];
    if (own.length > 0) return [...new Set(own.flatMap((need) => ends(need)))];
    return parentOf(name) === '' ? [] : flat(parentOf(name));
  });
  return flat;
}

function remembered(make: (name: string) => string[]): (name: string) => string[] {
  const known = new Map<string, string[]>();
  return (name) => {
    const made = known.get(name) ?? make(name);
    known.set(name, made);
    return made;
  };
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}
