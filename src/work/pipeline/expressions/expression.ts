/**
 * One CEL expression of a pipeline: type-checked against what its stage may see before anything runs, and evaluated
 * under a limit of time, since a few nested macros, or a regular expression, can be as slow as their author likes.
 */
import { createContext, Script } from 'node:vm';
import { Environment } from '@marcbachmann/cel-js';
import { AgovError, type Json, type JsonObject, messageOf } from '../../../kernel/index.ts';
import { nearest } from '../../../schemas/index.ts';
import { fromCel, toCel } from './values.ts';

export type CelType = 'string' | 'int' | 'double' | 'bool' | 'list' | 'list<string>' | 'map' | 'dyn';

/** What an expression may read: names to types, nested. */
export interface Scope {
  readonly [name: string]: CelType | Scope;
}

export interface Values {
  readonly [name: string]: Json;
}

export interface Expression {
  readonly source: string;
  readonly type: string;
  /** @throws AgovError INPUT_INVALID when it fails, takes longer than five seconds, or gives what JSON has not */
  evaluate(values: Values): Json;
}

export interface ExpressionFault {
  readonly message: string;
  readonly suggestion?: string | undefined;
  /** The name that is not there, where that is the fault. */
  readonly unknown?: string | undefined;
}

export type Compiled =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly fault: ExpressionFault };

const maxSource = 4096;
/** Far above what a reasonable expression takes on a busy machine: the same run must not fail one day and pass another. */
const timeLimitMs = 2000;
const limits = { maxAstNodes: 1000, maxDepth: 40, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 16 };

/** `expected` is what the place needs; `dyn` fits everywhere until it is evaluated. */
export function compileExpression(
  source: string,
  scope: Scope,
  expected?: 'bool' | 'list' | 'string' | 'int' | 'double',
): Compiled {
  if (source.length > maxSource) return refused(`The expression is over ${maxSource} characters.`);
  if (source.trim() === '') return refused('The expression is empty.');
  const read = readBy(source, scope);
  const environment = environmentOf(read);
  const checked = environment.check(source);
  if (!checked.valid) return { ok: false, fault: told(checked.error, scope) };
  const type = checked.type ?? 'dyn';
  if (expected !== undefined && type !== 'dyn' && !type.startsWith(expected)) {
    return refused(`The expression gives ${article(type)}, and ${article(expected)} is needed here.`);
  }
  const run = environment.parse(source);
  return {
    ok: true,
    expression: { source, type, evaluate: (values) => evaluated(source, () => run(bound(values, read))) },
  };
}

function environmentOf(scope: Scope): Environment {
  const environment = new Environment({ limits, homogeneousAggregateLiterals: false });
  for (const [name, type] of Object.entries(scope)) {
    if (typeof type === 'string') environment.registerVariable(name, type);
    else environment.registerVariable(name, { schema: type });
  }
  environment.registerFunction('json(string): dyn', (text: string) => toCel(JSON.parse(text) as Json));
  environment.registerFunction('lines(string): list<string>', (text: string) =>
    text.split('\n').filter((line) => line !== ''),
  );
  return environment;
}

/**
 * Of a late stage's scope, which holds hundreds of others, what the expression names: each name of it costs. Where
 * something is read whole, or by a computed name, all of it stays.
 */
function readBy(source: string, scope: Scope): Scope {
  return Object.fromEntries(
    Object.entries(scope).map(([name, type]) => {
      if (typeof type === 'string') return [name, type];
      const uses = [...source.matchAll(new RegExp(`\\b${name}\\b(?:\\s*\\.\\s*(\\w+))?`, 'g'))].map(
        ([, member]) => member,
      );
      const named = new Set(uses);
      const whole = named.has(undefined);
      return [name, whole ? type : Object.fromEntries(Object.entries(type).filter(([member]) => named.has(member)))];
    }),
  );
}

/** As much of the values as the scope has. */
function bound(values: Values, scope: Scope): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toCel(withOnly(value, scope[name]))]));
}

function withOnly(value: Json, type: CelType | Scope | undefined): Json {
  if (typeof type !== 'object' || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // By the names that are read, not by all that there are: a value may be worked out only when it is asked for.
  const read = Object.keys(type).filter((member) => Object.hasOwn(value, member));
  return Object.fromEntries(read.map((member) => [member, (value as JsonObject)[member] ?? null]));
}

const calling = new Script('work()');

/** V8 stops whatever runs below the script when the time is over, regular expressions too. */
function evaluated(source: string, work: () => unknown): Json {
  try {
    return fromCel(calling.runInContext(createContext({ work }), { timeout: timeLimitMs }));
  } catch (error) {
    // Made in the script's own realm, whose errors are no instances of ours.
    const late = Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    throw new AgovError('INPUT_INVALID', {
      what: `The expression ${shown(source)} could not be evaluated.`,
      why: late ? `It took longer than ${timeLimitMs} ms.` : sentence(summaryOf(error)),
      fix: late ? 'Let a stage compute it, and read its output.' : 'Guard what may be missing with has(…).',
    });
  }
}

function told(error: unknown, scope: Scope): ExpressionFault {
  const summary = summaryOf(error);
  const [, unknown] = /^(?:No such key|Unknown variable): (\S+)/.exec(summary) ?? [];
  if (summary.endsWith('EOF')) return { message: 'The expression ends too early.' };
  if (unknown === undefined) return { message: `The expression cannot be used: ${sentence(summary)}${placeOf(error)}` };
  const message = `The expression reads "${unknown}", which is not there for this stage.`;
  return { message, unknown, suggestion: nearest(unknown, namesIn(scope)) };
}

/** The messages of the library go on with the source and a caret, for which we have our own. */
function summaryOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'summary' in error) return String(error.summary);
  return messageOf(error).split('\n')[0] ?? '';
}

function placeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('range' in error)) return '';
  const { range } = error as { readonly range?: { readonly start: number } }; // as the library declares it
  return range === undefined ? '' : ` It is at character ${range.start + 1} of it.`;
}

function* namesIn(scope: Scope): Generator<string> {
  for (const [name, type] of Object.entries(scope)) {
    yield name;
    if (typeof type !== 'string') yield* namesIn(type);
  }
}

function refused(message: string): Compiled {
  return { ok: false, fault: { message } };
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function shown(source: string): string {
  return `"${source.length > 80 ? `${source.slice(0, 80)}…` : source}"`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
