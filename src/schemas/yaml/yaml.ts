/**
 * YAML files that people write, read against a zod schema. Every fault is told with its place, all at once. The text
 * may be hostile: size, depth and aliases are bounded, and what YAML would quietly reinterpret is refused.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import { type AgovError, type ErrorCode, messageOf } from '../../kernel/index.ts';
import { type Fault, faultsError } from './faults.ts';
import { type IssueAt, issuesOf } from './yaml-issues.ts';

export type YamlPath = readonly (string | number)[];

export interface YamlFile<T> {
  readonly value: T;
  /** A fault at the place where `path` was written, for what only meaning can tell. */
  fault(path: YamlPath, message: string, suggestion?: string): Fault;
}

export type YamlResult<T> = ({ readonly ok: true } & YamlFile<T>) | { readonly ok: false; readonly faults: Fault[] };

const maxBytes = 1_048_576;
const maxDepth = 64;
const maxAliases = 100;
const maxDocuments = 100;
const maxParserFaults = 50;

/** The value of `text`. @throws AgovError with `code`, whose `details.faults` are all of them. */
export function parseYaml<T>(schema: z.ZodType<T>, text: string, file: string, code: ErrorCode = 'CONFIG_INVALID'): T {
  const result = readYaml(schema, text, file);
  if (!result.ok) throw yamlError(code, file, result.faults);
  return result.value;
}

function yamlError(code: ErrorCode, file: string, faults: readonly Fault[]): AgovError {
  return faultsError(code, file, faults, `Correct ${file} at the lines named.`);
}

/** Like `parseYaml`, with faults as a value, and a way to place further faults. */
export function readYaml<T>(schema: z.ZodType<T>, text: string, file: string): YamlResult<T> {
  const large = tooLarge(text, file);
  if (large) return large;
  const lines = new LineCounter();
  return readDocument(schema, parseDocument(text, { ...yamlOptions, lineCounter: lines }), lines, file);
}

/** The same for a file that may hold several documents, each one of `schema`. */
export function readYamlDocuments<T>(schema: z.ZodType<T>, text: string, file: string): readonly YamlResult<T>[] {
  const large = tooLarge(text, file);
  if (large) return [large];
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { ...yamlOptions, lineCounter: lines });
  if (documents.length > maxDocuments) return [refused(file, `The file holds over ${maxDocuments} documents.`)];
  // An empty text has none: it is told as one that is empty.
  if (documents.length === 0) return [readYaml(schema, text, file)];
  return [...documents].map((document) => readDocument(schema, document, lines, file));
}

// Duplicate keys are found by `structureFaults`: the parser's own check takes quadratic time.
const yamlOptions = { uniqueKeys: false, stringKeys: true, prettyErrors: false, logLevel: 'error' } as const;

function tooLarge(text: string, file: string): Refused | undefined {
  return Buffer.byteLength(text) > maxBytes ? refused(file, `The file is over ${maxBytes} bytes.`) : undefined;
}

type Refused = { readonly ok: false; readonly faults: Fault[] };

function refused(file: string, message: string): Refused {
  return { ok: false, faults: [{ file, line: 1, column: 1, path: '', message }] };
}

function readDocument<T>(schema: z.ZodType<T>, document: Document, lines: LineCounter, file: string): YamlResult<T> {
  const at = (offset: number, path: YamlPath, message: string, suggestion?: string): Fault => {
    const { line, col } = lines.linePos(offset);
    const place = { file, line: Math.max(1, line), column: Math.max(1, col), path: formatPath(path), message };
    return suggestion === undefined ? place : { ...place, suggestion };
  };
  const broken = [
    ...parserFaults(document).map((e) => at(e.pos[0], [], told(e.code, e.message))),
    ...directiveFaults(document).map((message) => at(0, [], message)),
  ];
  if (broken.length > 0) return { ok: false, faults: broken };

  const structure = structureFaults(document.contents).map((s) => at(s.offset, s.path, s.message));
  if (structure.length > 0) return { ok: false, faults: structure };

  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    const message = messageOf(error);
    const many = message.startsWith('Excessive alias count');
    return {
      ok: false,
      faults: [at(0, [], many ? 'Its aliases stand for far more than is written.' : sentence(message))],
    };
  }
  const parsed = schema.safeParse(data);
  if (!parsed.success) {
    const place = ({ path, key, message, suggestion }: IssueAt): Fault =>
      at(offsetOf(document, path, key), key === undefined ? path : [...path, key], message, suggestion);
    return { ok: false, faults: issuesOf(schema, data, parsed.error.issues).map(place).sort(byPlace) };
  }
  return {
    ok: true,
    value: parsed.data,
    fault: (path, message, suggestion) => at(offsetOf(document, path), path, message, suggestion),
  };
}

/** A text that the parser gives up on, for its depth, would be told once for each level. */
function parserFaults({ errors, warnings }: Document): readonly (typeof errors | typeof warnings)[number][] {
  const exhausted = errors.find((e) => e.code === 'RESOURCE_EXHAUSTION');
  return exhausted ? [exhausted] : [...errors, ...warnings].slice(0, maxParserFaults);
}

/** The parser's words, but where they speak to programmers. */
function told(code: string, message: string): string {
  if (code === 'RESOURCE_EXHAUSTION') return `The file is nested deeper than ${maxDepth} levels.`;
  if (code === 'MULTIPLE_DOCS') return 'A second document begins here; a file holds one.';
  return sentence(message);
}

function directiveFaults(document: Document): string[] {
  const version = document.directives?.yaml.version;
  return version === undefined || version === '1.2' ? [] : ['Only YAML 1.2 is read; remove the %YAML line.'];
}

interface StructureFault {
  readonly offset: number;
  readonly path: YamlPath;
  readonly message: string;
}

/** What parses as YAML and still must not be used: twin keys, `__proto__`, aliases into themselves, a bottomless depth. */
function structureFaults(root: unknown): StructureFault[] {
  const faults: StructureFault[] = [];
  const anchors = new Set<string>();
  const openAnchors = new Set<string>();
  const visit = (node: unknown, path: YamlPath): void => {
    if (!isNode(node)) return;
    const offset = node.range?.[0] ?? 0;
    if (path.length > maxDepth) {
      faults.push({ offset, path: [], message: `The file is nested deeper than ${maxDepth} levels.` });
      return;
    }
    if (isAlias(node)) {
      if (!anchors.has(node.source)) {
        faults.push({ offset, path, message: `The alias *${node.source} names no anchor above it.` });
      } else if (openAnchors.has(node.source)) {
        faults.push({ offset, path, message: `The alias *${node.source} stands inside what it means.` });
      }
      return;
    }
    const { anchor } = node;
    if (anchor !== undefined) {
      anchors.add(anchor);
      openAnchors.add(anchor);
    }
    if (isSeq(node)) for (const [i, item] of node.items.entries()) visit(item, [...path, i]);
    if (isMap(node)) {
      const seen = new Set<string>();
      for (const { key, value } of node.items) {
        const name = keyName(key);
        const keyOffset = isNode(key) ? (key.range?.[0] ?? offset) : offset;
        if (name === '__proto__')
          faults.push({ offset: keyOffset, path, message: 'The key "__proto__" is not allowed.' });
        if (seen.has(name)) faults.push({ offset: keyOffset, path, message: `The key "${name}" is written twice.` });
        seen.add(name);
        visit(value, [...path, name]);
      }
    }
    if (anchor !== undefined) openAnchors.delete(anchor);
  };
  visit(root, []);
  return faults;
}

/** Where `path` (or its member `key`) was written; where it is missing, the nearest thing around it that exists. */
function offsetOf(document: Document, path: YamlPath, key?: string): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const segment of key === undefined ? path : [...path, key]) {
    while (isAlias(node)) node = node.resolve(document);
    let next: unknown;
    let start: number | undefined;
    if (isMap(node)) {
      const pair = node.items.find((item) => keyName(item.key) === String(segment));
      next = pair?.value;
      start = startOf(pair?.key);
    } else if (isSeq(node) && typeof segment === 'number') {
      next = node.items[segment];
      start = startOf(next);
    }
    if (start === undefined) return offset;
    offset = start;
    node = next;
  }
  // A wrong scalar is pointed at itself; a wrong map, list or unknown key at its key.
  return key === undefined && isScalar(node) ? (startOf(node) ?? offset) : offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}

function keyName(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function formatPath(path: YamlPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

function byPlace(a: Fault, b: Fault): number {
  return a.line - b.line || a.column - b.column;
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
