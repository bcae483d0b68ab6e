/**
 * The part of HCL 1 that ACL policies are written in, and its JSON form, as a tree. What else HCL can say (heredocs,
 * interpolation) is refused: a text that is not understood must not pass for a harmless one.
 */
import { z } from 'zod';

export type Value = string | number | boolean | readonly Value[] | Body;

/** In the order of the text: a key may come twice. */
export interface Body {
  readonly items: readonly Item[];
}
export interface Item {
  /** `path "x" { … }` has two. */
  readonly keys: readonly string[];
  readonly value: Value;
}

/** Its message says where. */
export class Unreadable extends Error {}

const maxDepth = 50;

/** @throws Unreadable */
export function parseHcl(text: string): Body {
  const words = wordsOf(text);
  let at = 0;
  const next = (): Word => words[at++] ?? { kind: 'end', text: '', line: words.at(-1)?.line ?? 1 };
  const peek = (): string => (words[at]?.kind === 'mark' ? (words[at]?.text ?? '') : '');

  let depth = 0;
  const body = (end: '}' | ''): Body => {
    if (++depth > maxDepth) throw new Unreadable('it is nested too deeply');
    const items: Item[] = [];
    for (;;) {
      const word = next();
      if (end === '' ? word.kind === 'end' : isMark(word, end)) {
        depth--;
        return { items };
      }
      if (word.kind !== 'text' && word.kind !== 'bare') throw unexpected(word);
      items.push(item(word));
      if (peek() === ',') next();
    }
  };
  const item = (first: Word): Item => {
    const keys = [first.text];
    for (let word = next(); ; word = next()) {
      if (isMark(word, '{')) return { keys, value: body('}') };
      if ((isMark(word, '=') || isMark(word, ':')) && keys.length === 1) return { keys, value: value(next()) };
      if (word.kind !== 'text' && word.kind !== 'bare') throw unexpected(word);
      keys.push(word.text);
    }
  };
  const value = (word: Word): Value => {
    if (isMark(word, '{')) return body('}');
    if (isMark(word, '[')) return list();
    if (word.kind === 'text') return word.text;
    if (word.text === 'true' || word.text === 'false') return word.text === 'true';
    if (word.kind === 'bare' && /^-?\d+(?:\.\d+)?$/.test(word.text)) return Number(word.text);
    throw unexpected(word);
  };
  const list = (): Value[] => {
    if (++depth > maxDepth) throw new Unreadable('it is nested too deeply');
    const values: Value[] = [];
    for (let word = next(); !isMark(word, ']'); word = next()) {
      values.push(value(word));
      if (peek() === ',') next();
      else if (peek() !== ']') throw unexpected(next());
    }
    depth--;
    return values;
  };
  // As JSON, by our own reading: of two members of one name Vault takes both, and JSON.parse drops the first.
  if (peek() !== '{') return body('');
  next();
  const whole = body('}');
  const rest = next();
  if (rest.kind !== 'end') throw unexpected(rest);
  return whole;
}

interface Word {
  readonly kind: 'text' | 'bare' | 'mark' | 'end';
  readonly text: string;
  readonly line: number;
}

const space = String.raw`(?<space>\s+|(?:#|//)[^\n]*|/\*[\s\S]*?\*/)`;
const pattern = new RegExp(
  String.raw`${space}|(?<text>"(?:[^"\\\n]|\\.)*")|(?<bare>[\w][\w.-]*|-\d[\d.]*)|(?<mark>[{}[\]=:,])`,
  'y',
);

function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let line = 1;
  pattern.lastIndex = 0;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const found = pattern.exec(text)?.groups;
    if (!found) throw new Unreadable(`line ${line}: "${text.slice(from, from + 20)}" is not understood`);
    if (found['text'] !== undefined) words.push({ kind: 'text', text: unquoted(found['text'], line), line });
    if (found['bare'] !== undefined) words.push({ kind: 'bare', text: found['bare'], line });
    if (found['mark'] !== undefined) words.push({ kind: 'mark', text: found['mark'], line });
    line += text.slice(from, pattern.lastIndex).split('\n').length - 1;
  }
  return words;
}

function unquoted(quoted: string, line: number): string {
  if (quoted.includes('${')) throw new Unreadable(`line ${line}: interpolation is not understood`);
  try {
    return z.string().parse(JSON.parse(quoted));
  } catch {
    // HCL knows escapes that JSON does not; nobody needs them in a path.
    throw new Unreadable(`line ${line}: an escape in a text is not understood`);
  }
}

function isMark(word: Word, mark: string): boolean {
  return word.kind === 'mark' && word.text === mark;
}

function unexpected({ kind, text, line }: Word): Unreadable {
  return new Unreadable(`line ${line}: unexpected ${kind === 'end' ? 'end' : `"${text}"`}`);
}
