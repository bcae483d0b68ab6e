/**
 * What of a template's stage must stand before anything runs: who acts, where, for how long, and the command. Its
 * parameters may say so as long as a value is written out at the end. An expression may not, since what an agent put out
 * would then choose who acts next.
 */
import type { z } from 'zod';
import type { Json } from '../../../../kernel/index.ts';
import {
  duration,
  issuesOf,
  nameSchema,
  nearest,
  relativePath,
  type WrittenStage,
  type YamlPath,
} from '../../../../schemas/index.ts';
import { hasHoles } from '../../expressions/index.ts';
import { misfit } from '../parameters.ts';
import { loneParameter } from '../scope/values.ts';
import type { Frame, ReportAt } from './frame.ts';
import type { Place } from './source/module.ts';

export interface Fixed {
  readonly stage: WrittenStage;
  /** Where the agent's name stands; undefined where none does yet. */
  readonly agentAt: Place | undefined;
}

/** The stage with its parameters in place. `open`: a template looked at by itself, which nobody has handed anything. */
export function fixStage(frame: Frame, stage: WrittenStage, at: YamlPath, open: boolean, report: ReportAt): Fixed {
  const here = (...path: YamlPath): Place => ({ module: frame.module, path: [...at, ...path] });
  const one = (text: string | undefined, schema: z.ZodType<string>, key: YamlPath, standIn?: string) => {
    if (text === undefined || !text.includes('${{')) return { text, place: here(...key) };
    const found = fixedText(frame, text, schema, here(...key), open, report);
    return found ?? { text: standIn, place: undefined };
  };
  const command = (run: WrittenStage['run'], key: YamlPath): WrittenStage['run'] =>
    typeof run === 'string' && frame.by ? fixedCommand(frame, run, here(...key), open, report) : run;

  const agent = one(stage.agent, nameSchema, ['agent']);
  const { compensate } = stage;
  return {
    agentAt: agent.place,
    stage: {
      ...stage,
      agent: agent.text,
      workspace: one(stage.workspace, relativePath, ['workspace'], '.').text ?? '.',
      timeout: one(stage.timeout, duration, ['timeout']).text,
      run: command(stage.run, ['run']),
      compensate: compensate && {
        ...compensate,
        timeout: one(compensate.timeout, duration, ['compensate', 'timeout']).text,
        run: command(compensate.run, ['compensate', 'run']),
      },
    },
  };
}

const hole = /\$\{\{\s*params\.([a-z][a-z0-9_]*)\s*\}\}/g;

/** Undefined where it is not known: then it has been told why, or nobody can know yet. */
function fixedText(
  frame: Frame,
  text: string,
  schema: z.ZodType<string>,
  place: Place,
  open: boolean,
  report: ReportAt,
): { readonly text: string; readonly place: Place } | undefined {
  if (!frame.by) {
    report(place, 'In a pipeline this is written out; the parameters of a template alone may stand here.');
    return undefined;
  }
  let last = place;
  let known = true;
  const filled = text.replaceAll(hole, (_, name: string) => {
    const value = fixedValue(frame, name, place, ['string'], open, report);
    if (value === undefined) known = false;
    else last = value.place;
    return String(value?.value ?? '');
  });
  if (!known) return undefined;
  if (hasHoles(filled)) {
    report(place, 'Only "${{ params.NAME }}" may stand here: it must be known before the run.');
    return undefined;
  }
  const parsed = schema.safeParse(filled);
  if (parsed.success) return { text: filled, place: last };
  for (const { message } of issuesOf(schema, filled, parsed.error.issues)) {
    report(last, message.replace('The file', `"${String(place.path.at(-1))}"`));
  }
  return undefined;
}

/** A whole command may be a parameter: a text for the shell, or a list. Then it is what the user of the template wrote. */
function fixedCommand(frame: Frame, run: string, place: Place, open: boolean, report: ReportAt): WrittenStage['run'] {
  const name = loneParameter(run);
  if (name === undefined) return run;
  const found = fixedValue(frame, name, place, ['string', 'list'], open, report);
  if (!found) return ['true'];
  const { value } = found;
  const texts = Array.isArray(value) ? value.map(String) : [String(value)];
  if (texts.length === 0 || texts.some((text) => text === '')) report(found.place, 'A command cannot be empty.');
  if (texts.some(hasHoles)) report(found.place, 'A command that is handed over is written out.');
  return typeof value === 'string' ? value : texts;
}

type Kind = 'string' | 'list';

/** Undefined where it has been told why, or where nobody can know yet. */
function fixedValue(
  frame: Frame,
  name: string,
  place: Place,
  kinds: readonly Kind[],
  open: boolean,
  report: ReportAt,
): { readonly value: Json; readonly place: Place } | undefined {
  const { parameters } = frame.module;
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (!parameter) {
    report(place, `There is no parameter "${name}".`, nearest(name, Object.keys(parameters)));
    return undefined;
  }
  if (!kinds.some((kind) => kind === parameter.type)) {
    report(place, `The parameter "${name}" must be of type ${kinds.map((kind) => `"${kind}"`).join(' or ')} here.`);
    return undefined;
  }
  if (!frame.by) {
    if (!open) report(place, `"${name}" is known at the run alone, and this must be known before: write it out.`);
    return undefined;
  }
  if (!Object.hasOwn(frame.with, name)) {
    const { default: value } = parameter;
    // A missing one is told with the others.
    return value === undefined
      ? undefined
      : { value, place: { module: frame.module, path: ['parameters', name, 'default'] } };
  }
  const value = frame.with[name] as Json; // by the line above
  const written = { module: frame.by.frame.module, path: [...frame.by.at, 'with', name] };
  if (typeof value !== 'string' || !hasHoles(value)) {
    return misfit(parameter, value) === undefined ? { value, place: written } : undefined;
  }
  const outer = loneParameter(value);
  if (outer !== undefined) return fixedValue(frame.by.frame, outer, written, kinds, open, report);
  report(written, `"${name}" must be known before the run: write a value, and no expression.`);
  return undefined;
}
