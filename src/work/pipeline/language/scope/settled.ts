/** What can be told before a run, since parameters alone decide it. */
import type { Pipeline } from '../../../../schemas/index.ts';
import { hasHoles } from '../../expressions/index.ts';
import { callAround, callOf } from '../stages.ts';

/** Whether nothing of the run itself is read in `text`, be it an expression or a text with some in it, at `name`. */
export function isSettled(pipeline: Pipeline, name: string, text: string): boolean {
  const read = hasHoles(text) ? [...text.matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, one]) => one ?? '') : [text];
  return read.every((one) => !/\b(?:stages|each|matrix|own|run|event)\s*[.[]/.test(one) && handed(pipeline, name, one));
}

/** Of a template: whether what it was handed, and is read here, is settled where it was handed over. */
function handed(pipeline: Pipeline, name: string, expression: string): boolean {
  const around = callAround(name);
  const call = callOf(pipeline, around);
  if (!call) return true;
  const named = [...expression.matchAll(/\bparams\b(?:\s*\.\s*(\w+))?/g)].map(([, one]) => one);
  const given = named.includes(undefined) ? Object.keys(call.with) : (named as string[]);
  return given.every((one) => {
    const value = Object.hasOwn(call.with, one) ? call.with[one] : undefined;
    return typeof value !== 'string' || !hasHoles(value) || isSettled(pipeline, around, value);
  });
}
