/** What zod found wrong, told as sentences for people who wrote a file, with the nearest known name where one exists. */
import type { z } from 'zod';
import { nearest } from './faults.ts';

type Issue = z.core.$ZodIssue;
type AnySchema = z.core.$ZodType;
type Path = readonly (string | number)[];

export interface IssueAt {
  readonly path: Path;
  /** A member of `path` that is meant itself: one that should not be there. */
  readonly key?: string;
  readonly message: string;
  readonly suggestion?: string;
}

export function issuesOf(schema: AnySchema, data: unknown, issues: readonly Issue[]): IssueAt[] {
  return issues.flatMap((issue) => tell(schema, data, issue, []));
}

function tell(schema: AnySchema, data: unknown, issue: Issue, base: Path): IssueAt[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, path);
      return issue.keys.map((key) => ({ path, key, ...withNearest(`The key "${key}" is not known here`, key, known) }));
    }
    case 'invalid_type': {
      const value = valueAt(data, path);
      const message =
        value === undefined
          ? `${name(path)} is missing.`
          : `${name(path)} must be ${article(issue.expected)}, not ${shown(value)}.`;
      return [{ path, message }];
    }
    case 'invalid_value':
      return [{ path, ...choice(path, valueAt(data, path), issue.values.map(String)) }];
    case 'invalid_union':
      return union(schema, data, issue, path);
    case 'too_small':
    case 'too_big':
      // A limit that was given words of its own is told in those.
      return [
        {
          path,
          message: /^Too (?:small|big)/.test(issue.message) ? limit(path, issue) : `${name(path)}: ${issue.message}.`,
        },
      ];
    case 'invalid_key':
      return issue.issues.flatMap((inner) => tell(schema, data, { ...inner, path: [] }, path));
    default:
      return [{ path, message: `${name(path)}: ${issue.message}.` }];
  }
}

function limit(path: Path, issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const [side, bound] = issue.code === 'too_small' ? ['at least', issue.minimum] : ['at most', issue.maximum];
  const units: Readonly<Record<string, string>> = { string: 'character', array: 'item', set: 'item', map: 'key' };
  const unit = units[issue.origin];
  if (unit === undefined) return `${name(path)} must be ${side} ${bound}.`;
  return `${name(path)} must have ${side} ${bound} ${unit}${Number(bound) === 1 ? '' : 's'}.`;
}

function union(
  schema: AnySchema,
  data: unknown,
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
): IssueAt[] {
  if ('options' in issue && Array.isArray(issue.options)) {
    return [{ path, ...choice(path, valueAt(data, path), issue.options.map(String)) }];
  }
  // The branch that was meant is the one whose outermost shape fits; among several, the one with the fewest faults.
  const value = valueAt(data, path);
  const nested = typeof value === 'object' && value !== null;
  const misses = (e: Issue): boolean => e.code === 'invalid_type' || (nested && e.code === 'invalid_value');
  const fitting = issue.errors.filter((errors) => !errors.some((e) => e.path.length === 0 && misses(e)));
  const meant = fitting.toSorted((a, b) => a.length - b.length)[0];
  if (meant) return meant.flatMap((inner) => tell(schema, data, inner, path));
  const expected = issue.errors.flatMap((errors) =>
    errors.flatMap((e) => (e.code === 'invalid_type' ? [e.expected] : [])),
  );
  if (value === undefined) return [{ path, message: `${name(path)} is missing.` }];
  return [
    {
      path,
      message: `${name(path)} must be ${[...new Set(expected)].map(article).join(' or ')}, not ${shown(value)}.`,
    },
  ];
}

function choice(path: Path, value: unknown, values: readonly string[]): { message: string; suggestion?: string } {
  const list = values.length > 12 ? `one of ${values.length} known values` : `one of ${values.join(', ')}`;
  if (value === undefined) return { message: `${name(path)} is missing; it is ${list}.` };
  return withNearest(`${name(path)} must be ${list}, not ${shown(value)}`, String(value), values);
}

function withNearest(text: string, word: string, known: readonly string[]): { message: string; suggestion?: string } {
  const suggestion = nearest(word, known);
  return suggestion === undefined ? { message: `${text}.` } : { message: `${text}.`, suggestion };
}

function name(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'The file';
  return typeof last === 'number' ? `Item ${last + 1} of "${path.at(-2) ?? 'the list'}"` : `"${last}"`;
}

const articles: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
};

function article(expected: string): string {
  return articles[expected] ?? expected;
}

/** A text is shown cut, since people paste keys and passwords into the wrong place. */
function shown(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of keys';
  const text = String(value);
  return typeof value === 'string' ? `"${text.length > 24 ? `${text.slice(0, 8)}…` : text}"` : text;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined;
  }, data);
}

/** The keys that `schema` knows at `path`, over all branches of unions. */
function keysAt(schema: AnySchema, path: Path): string[] {
  let level: readonly AnySchema[] = [schema];
  for (const part of path) level = level.flatMap(unwrap).flatMap((s) => step(s, part));
  return [...new Set(level.flatMap(unwrap).flatMap(ownKeys))];
}

type Def = z.core.$ZodTypes['_zod']['def'];

/** zod types `_zod.def` by its base; the union over all kinds is what `type` discriminates. */
function defOf(schema: AnySchema): Def {
  return schema._zod.def as Def;
}

function unwrap(schema: AnySchema): AnySchema[] {
  const def = defOf(schema);
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'nonoptional':
    case 'catch':
      return unwrap(def.innerType);
    case 'pipe':
      return [...unwrap(def.in), ...unwrap(def.out)];
    case 'lazy':
      return unwrap(def.getter());
    case 'union':
      return def.options.flatMap(unwrap);
    case 'intersection':
      return [...unwrap(def.left), ...unwrap(def.right)];
    default:
      return [schema];
  }
}

function step(schema: AnySchema, part: string | number): AnySchema[] {
  const def = defOf(schema);
  if (def.type === 'array') return [def.element];
  if (def.type === 'record') return [def.valueType];
  if (def.type === 'object') return Object.hasOwn(def.shape, part) ? [def.shape[part] as AnySchema] : [];
  return [];
}

function ownKeys(schema: AnySchema): string[] {
  const def = defOf(schema);
  if (def.type === 'object') return Object.keys(def.shape);
  if (def.type !== 'record') return [];
  const key = defOf(def.keyType);
  return key.type === 'enum' ? Object.values(key.entries).map(String) : [];
}
