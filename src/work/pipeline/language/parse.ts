/** A pipeline file, read and understood, its templates in their places; or all faults of all these files. */
import { basename } from 'node:path';
import {
  type Fault,
  faultsError,
  type Pipeline,
  type PipelineFile,
  pipelineSchema,
  readYaml,
  readYamlDocuments,
  stageSchema,
  type Template,
  templateSchema,
} from '../../../schemas/index.ts';
import { explained } from './check/expressions.ts';
import { checkGroup } from './check/gates.ts';
import { checkModule } from './check/module.ts';
import { checkStage, type Known as KnownParts } from './check/stage.ts';
import { callAround, callOf, endedBefore } from './stages.ts';
import {
  checkCall,
  createLibrary,
  createReport,
  type Expanded,
  expand,
  keptTemplates,
  type Module,
  pipelineModule,
  type ReportAt,
  readKept,
  type TemplateFiles,
} from './templates/index.ts';

export interface Known extends KnownParts {
  /** Where templates are read; without it none can be used. */
  readonly templates?: TemplateFiles;
}

export type ParseResult =
  | { readonly ok: true; readonly pipeline: Pipeline }
  | {
      readonly ok: false;
      readonly faults: Fault[];
      /** By the `file` of faults: the texts that they are in. */
      readonly texts: ReadonlyMap<string, string>;
    };

export function parsePipeline(text: string, file: string, known: Known): ParseResult {
  const result = readYaml(pipelineSchema, text, file);
  if (!result.ok) return { ...result, texts: new Map([[file, text]]) };
  const root = pipelineModule(result, known.templates?.from ?? file);
  return understood(result.value, root, { text, file, known, open: false });
}

/** Faults of a file of templates, each looked at as if somebody handed it all that it takes. */
export function checkTemplates(text: string, file: string, known: Known): ParseResult & { names: readonly string[] } {
  const from = known.templates?.from ?? basename(file);
  const own: Known = { ...known, templates: withText(known.templates, from, { text, file }) };
  const read = readYamlDocuments(templateSchema, text, file);
  const whole = read.flatMap((one) => (one.ok ? [one] : []));
  const results = whole.map(({ value, fault }) => {
    const root = pipelineModule({ value: userOf(value, from), fault: (_, ...said) => fault([], ...said) }, from);
    return understood(userOf(value, from), root, { text, file, known: own, open: true });
  });
  const faults = [...read, ...results].flatMap((one) => (one.ok ? [] : one.faults));
  const names = whole.map(({ value }) => value.name);
  const [first] = results;
  if (faults.length === 0 && first) return { ...first, names };
  const texts = new Map(results.flatMap((one) => (one.ok ? [] : [...one.texts])));
  return { ok: false, faults: unique(faults), texts: new Map([...texts, [file, text]]), names };
}

function withText(
  templates: TemplateFiles | undefined,
  from: string,
  own: { readonly text: string; readonly file: string },
): TemplateFiles {
  const others = templates ?? { from, shipped: () => [], read: () => ({ message: 'Templates cannot be read here.' }) };
  return { ...others, from, read: (path) => (path === from ? own : others.read(path)) };
}

/** A pipeline of one stage, which hands the template its own parameters. */
function userOf({ name, parameters }: Template, from: string): PipelineFile {
  const stage = stageSchema.parse({
    uses: from.startsWith('agov:') ? from : `./${basename(from)}#${name}`,
    with: Object.fromEntries(Object.keys(parameters).map((one) => [one, `\${{ params.${one} }}`])),
  });
  const head = { apiVersion: 'agov/v1', kind: 'Pipeline', name, parallel: 1 } as const;
  return { ...head, parameters, stages: { [name]: stage }, finally: {} };
}

interface Reading {
  readonly text: string;
  readonly file: string;
  readonly known: Known;
  readonly open: boolean;
}

function understood(value: PipelineFile, root: Module, { text, file, known, open }: Reading): ParseResult {
  const { faults, report } = createReport();
  const library = createLibrary(known.templates);
  const checked = new Set<Module>();
  const check = (module: Module): void => {
    // The user of templates that are looked at alone was not written by anybody.
    if (!checked.has(module) && !(open && module === root)) checkModule(module, report);
    checked.add(module);
  };
  const expanded = expand({ library, report, check, open }, root);
  const { stages, finally: final, expansion } = expanded;
  const files = Object.fromEntries(library.texts);
  const used = Object.keys(expansion.calls).length > 0;
  const pipeline: Pipeline = {
    ...value,
    stages,
    finally: final,
    ...(used ? { expansion: { ...expansion, files } } : {}),
  };
  checkGroup(pipeline, (path, ...said) => report({ module: root, path }, ...said));
  checkStages(pipeline, expanded, known, report);
  checkCalls(pipeline, expanded, report);
  const all = [...faults, ...library.faults];
  if (all.length === 0) return { ok: true, pipeline };
  return { ok: false, faults: inOrder(unique(all), file), texts: new Map([[file, text], ...library.shown]) };
}

function checkStages(pipeline: Pipeline, { origins, broken }: Expanded, known: Known, reportAt: ReportAt): void {
  for (const [name, { module, at, agentAt }] of origins) {
    checkStage(pipeline, name, known, {
      at,
      report: (path, message, suggestion) => reportAt({ module, path }, message, suggestion),
      agent: agentAt && ((message, suggestion) => reportAt(agentAt, message, suggestion)),
      unreadable: readsAny(pipeline, name, broken),
    });
  }
}

function checkCalls(pipeline: Pipeline, { frames, broken }: Expanded, reportAt: ReportAt): void {
  for (const frame of frames.values()) {
    const { by, module, name } = frame;
    if (!by || readsAny(pipeline, name, broken)) continue;
    const isBroken = [...broken].some((one) => callAround(one) === name);
    const outer = callOf(pipeline, by.frame.name) ?? pipeline;
    checkCall(pipeline, frame, {
      caller: (path, fault) =>
        reportAt({ module: by.frame.module, path: [...by.at, ...path] }, ...explained(pipeline, name, fault)),
      own: (path, { message, suggestion }) => {
        if (!isBroken) reportAt({ module, path }, message, suggestion);
      },
      secret: (one) => Object.hasOwn(outer.parameters, one) && outer.parameters[one]?.type === 'secret',
    });
  }
}

/** What a template puts out that cannot be had is not told again of everybody who reads it. */
function readsAny(pipeline: Pipeline, name: string, broken: ReadonlySet<string>): boolean {
  if (broken.size === 0) return false;
  const last = Object.hasOwn(pipeline.finally, name);
  return last || [...endedBefore(pipeline, name)].some((one) => broken.has(one));
}

function unique(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}

/** By place; the file that was named first, the others as they were come upon. */
function inOrder(faults: readonly Fault[], file: string): Fault[] {
  const files = [...new Set([file, ...faults.map((fault) => fault.file)])];
  const rank = (fault: Fault): number => files.indexOf(fault.file);
  return faults.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}

/** The pipeline. @throws PIPELINE_INVALID with every fault */
export function mustParse(text: string, file: string, known: Known): Pipeline {
  const result = parsePipeline(text, file, known);
  if (result.ok) return result.pipeline;
  throw faultsError('PIPELINE_INVALID', file, result.faults);
}

/** The pipeline of a run, from what the run has kept. @throws PIPELINE_INVALID */
export function parseKept(kept: string, file: string, known: Omit<Known, 'templates'>): Pipeline {
  const source = readKept(kept);
  return mustParse(source.text, file, { ...known, templates: keptTemplates(source, file) });
}
