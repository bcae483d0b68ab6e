/**
 * Writes an entry's canonical JSON (RFC 8785) about twice as fast as a general writer, since an entry's members are
 * known. What is not plain data goes to the kernel's writer, which also says what is wrong with it.
 */
import { AgovError, canonicalJson } from '../../../kernel/index.ts';
import type { EntryDraft } from '../../../schemas/index.ts';

/** The text around `at` and `seq`, which are known only inside the transaction. */
export interface EntryText {
  readonly beforeAt: string;
  readonly beforeSeq: string;
  readonly end: string;
}

/** @throws AgovError INPUT_INVALID for what JSON cannot hold */
export function entryText(draft: EntryDraft, id: string): EntryText {
  const { agent, artifacts, body, kind, parent, run, tier } = draft;
  const before = `{${agent === undefined ? '' : `"agent":${quote(agent)},`}${
    artifacts === undefined ? '' : `"artifacts":${write(artifacts, 0)},`
  }"at":"`;
  const between = `","body":${write(body, 0)},"id":${quote(id)},"kind":${quote(kind)},${
    parent === undefined ? '' : `"parent":${quote(parent)},`
  }${run === undefined ? '' : `"run":${quote(run)},`}"seq":`;
  return { beforeAt: before, beforeSeq: between, end: `${tier === undefined ? '' : `,"tier":${quote(tier)}`},"v":1}` };
}

/** `value` as `canonicalJson` writes it. */
export function write(value: unknown, depth: number): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : canonicalJson(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value === null) return 'null';
  if (typeof value !== 'object') return canonicalJson(value);
  if (depth > deepest) throw tooDeep(value);
  if (Array.isArray(value)) return writeArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = (prototype === Object.prototype || prototype === null) && !('toJSON' in value);
  // A plain object's members are unknown until each is written.
  return plain ? writeObject(value as Readonly<Record<string, unknown>>, depth) : canonicalJson(value);
}

/** Whoever reads an entry goes down level by level, and one that exhausts their stack is in the log for good. */
const deepest = 100;

function tooDeep(value: object): AgovError {
  // It may be a cycle, which the kernel's writer reports.
  canonicalJson(value);
  return new AgovError('INPUT_INVALID', {
    what: 'A value cannot be recorded.',
    why: `It is nested deeper than ${deepest} levels.`,
  });
}

function writeArray(items: readonly unknown[], depth: number): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item === undefined) return canonicalJson(items);
    text += i === 0 ? write(item, depth + 1) : `,${write(item, depth + 1)}`;
  }
  return `${text}]`;
}

function writeObject(object: Readonly<Record<string, unknown>>, depth: number): string {
  const keys = sorted(Object.keys(object));
  let text = '{';
  for (const key of keys) {
    const member = object[key];
    if (member === undefined) continue;
    text += `${text.length === 1 ? '' : ','}${quote(key)}:${write(member, depth + 1)}`;
  }
  return `${text}}`;
}

/** By UTF-16 code units, as RFC 8785 section 3.2.3 asks; in place, since the few keys of a body sort fastest so. */
function sorted(keys: string[]): string[] {
  if (keys.length > 16) return keys.sort();
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string;
    let at = i;
    for (let before = keys[at - 1]; before !== undefined && before > key; before = keys[at - 1]) {
      keys[at] = before;
      at -= 1;
    }
    keys[at] = key;
  }
  return keys;
}

/** No quote, no backslash, no control character, no surrogate: such text stands for itself. */
const plainText = /^[\u0020\u0021\u0023-\u005b\u005d-\ud7ff\ue000-\uffff]*$/;

function quote(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  return text.isWellFormed() ? JSON.stringify(text) : canonicalJson(text);
}
