/**
 * What an ACL policy allows, by path: two texts with one meaning are one policy, however they are laid out. By Vault's own
 * reading (vault/policy.go). A text that cannot be read has a meaning of its own, which is no other's.
 */
import type { Json, JsonObject } from '../../../../../kernel/index.ts';
import { type Body, type Item, parseHcl, Unreadable, type Value } from './hcl.ts';

/** Path to its capabilities, sorted; with what else limits the path, as an object. */
export function policyMeaning(text: string): JsonObject {
  try {
    return merged(rulesOf(parseHcl(text)));
  } catch (error) {
    if (error instanceof Unreadable) return { 'cannot be read': error.message };
    throw error;
  }
}

interface Rule {
  readonly path: string;
  readonly capabilities: readonly string[];
  readonly more: JsonObject;
}

/** What `policy = "…"` stands for, the form before capabilities. */
const shorthand: ReadonlyMap<Value, readonly string[]> = new Map([
  ['deny', ['deny']],
  ['read', ['read', 'list']],
  ['write', ['create', 'read', 'update', 'delete', 'list']],
  ['sudo', ['create', 'read', 'update', 'delete', 'list', 'sudo']],
]);

function rulesOf({ items }: Body): Rule[] {
  return items.flatMap(({ keys: [kind, ...rest], value }) => {
    // The name in the text counts for nothing: the one in the address does.
    if (kind === 'name') return [];
    if (kind !== 'path') throw new Unreadable(`"${kind}" is not understood`);
    return pathsIn(rest, value).map(ruleOf);
  });
}

/** `path "x" {}` and `path = { "x" = {} }`, and of the latter also a list. */
function pathsIn(keys: readonly string[], value: Value): Item[] {
  if (keys.length > 0) return [{ keys, value }];
  if (Array.isArray(value)) return value.flatMap((one) => pathsIn([], one));
  return [...bodyIn(value, 'path').items];
}

function ruleOf({ keys: [path = '', ...rest], value }: Item): Rule {
  if (rest.length > 0) throw new Unreadable(`path "${path}" has two names`);
  const { items } = bodyIn(value, path);
  const members = new Map<string, Value>();
  for (const { keys, value: member } of items) {
    const [key = ''] = keys;
    // Which of two counts is not for us to guess.
    if (keys.length > 1 || members.has(key)) throw new Unreadable(`path "${path}" has "${keys.join(' ')}" twice`);
    if (key !== 'comment') members.set(key, member);
  }
  const short = members.get('policy');
  const listed = members.get('capabilities') ?? [];
  if (!Array.isArray(listed) || !listed.every((one) => typeof one === 'string')) {
    throw new Unreadable(`the capabilities of path "${path}" are no list of texts`);
  }
  const old = short === undefined ? [] : shorthand.get(short);
  if (!old) throw new Unreadable(`path "${path}" has a policy that is none`);
  members.delete('policy');
  members.delete('capabilities');
  const more = Object.fromEntries([...members].map(([key, member]) => [key, plain(member)]));
  return { path: path.replace(/^\//, ''), capabilities: [...listed, ...old], more };
}

/** Vault adds up what several rules say of one path; a denial beats all. */
function merged(rules: readonly Rule[]): JsonObject {
  const byPath = new Map<string, Rule>();
  for (const rule of rules) {
    const before = byPath.get(rule.path);
    if (before && Object.keys({ ...before.more, ...rule.more }).length > 0) {
      throw new Unreadable(`path "${rule.path}" is there twice, with limits`);
    }
    byPath.set(rule.path, { ...rule, capabilities: [...(before?.capabilities ?? []), ...rule.capabilities] });
  }
  return Object.fromEntries(
    [...byPath.values()].map(({ path, capabilities, more }): [string, Json] => {
      const held = capabilities.includes('deny') ? ['deny'] : [...new Set(capabilities)].sort();
      return [path, Object.keys(more).length === 0 ? held : { capabilities: held, ...more }];
    }),
  );
}

function bodyIn(value: Value, path: string): Body {
  if (typeof value === 'object' && 'items' in value) return value;
  throw new Unreadable(`"${path}" is no block`);
}

function plain(value: Value): Json {
  if (typeof value !== 'object') return value;
  if (!('items' in value)) return value.map(plain);
  return value.items.map(({ keys, value: member }) => [...keys, plain(member)]);
}
