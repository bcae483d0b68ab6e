/** Project policies from text to rules: parsed, named, validated against the schema. Every fault has its place. */
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { type Action, actions, type Fault, nearest } from '../../../schemas/index.ts';
import { type CedarApi, type SchemaJson, schemaAbout } from '../engine/cedar.ts';
import { resourceType } from '../engine/request.ts';
import type { PolicyText } from '../types.ts';
import type { PolicyFile } from './project.ts';

export interface Rule extends PolicyText {
  /** Actions that the policy can be about at all; it is left out of every other slice. */
  readonly actions: readonly Action[];
}

interface Placed {
  readonly rule: Rule;
  readonly source: PolicyFile;
  /** Where the policy begins, in UTF-16 units. */
  readonly offset: number;
}

export interface ProjectRule extends Rule {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const annotationsKnown = ['id', 'reason'];
const idPattern = /^[a-z0-9][a-z0-9._/-]{0,99}$/;

/** `validated`: these very files are known to fit the schema. */
export function parseRules(
  cedar: CedarApi,
  schema: SchemaJson,
  files: readonly PolicyFile[],
  validated: boolean,
): { rules: ProjectRule[]; faults: Fault[] } {
  const faults: Fault[] = [];
  const placed = files.flatMap((file) => parseFile(cedar, file, faults));
  const first = new Map<string, Placed>();
  for (const one of placed) {
    const twin = first.get(one.rule.id);
    if (twin) faults.push(at(one, 0, `The id "${one.rule.id}" is taken by ${twin.source.file}:${lineOf(twin)}.`));
    else first.set(one.rule.id, one);
  }
  if (!validated) faults.push(...validate(cedar, schema, first));
  const rules = [...first.values()].map(({ rule, source, offset }) => ({
    ...rule,
    file: source.file,
    ...placeOf(source.text, offset),
  }));
  return { rules, faults };
}

function parseFile(cedar: CedarApi, source: PolicyFile, faults: Fault[]): Placed[] {
  const parts = cedar.policySetTextToParts(source.text);
  if (parts.type === 'failure') {
    faults.push(...parts.errors.map((error) => engineFault(source, 0, source.text, error)));
    return [];
  }
  if (parts.policy_templates.length > 0) {
    const offset = Math.max(0, source.text.indexOf(parts.policy_templates[0] ?? ''));
    faults.push(fault(source, offset, 'Templates (?principal, ?resource) are not used here: write a policy.'));
  }
  let from = 0;
  return inSourceOrder(parts.policies).flatMap((text) => {
    const offset = Math.max(from, source.text.indexOf(text, from));
    from = offset + text.length;
    const parsed = cedar.policyToJson(text);
    if (parsed.type === 'failure') {
      faults.push(...parsed.errors.map((error) => engineFault(source, offset, text, error)));
      return [];
    }
    const wrong = nameFaults(parsed.json);
    faults.push(...wrong.map(({ message, suggestion }) => fault(source, offset, message, suggestion)));
    const { id, reason } = parsed.json.annotations ?? {};
    if (id === undefined || wrong.length > 0) return [];
    const about = actionsOf(parsed.json);
    const rule = { id, effect: parsed.json.effect, text, actions: about, ...(reason ? { reason } : {}) };
    return [{ rule, source, offset }];
  });
}

/** Cedar names policies `policy0`, `policy1`, … by place, and hands them over sorted by name: `policy10` before `policy2`. */
function inSourceOrder(parts: readonly string[]): string[] {
  const order = parts.map((_, i) => i).sort((a, b) => (`policy${a}` < `policy${b}` ? -1 : 1));
  const result: string[] = [];
  parts.forEach((text, i) => {
    result[order[i] ?? i] = text;
  });
  return result;
}

function nameFaults({ annotations = {} }: PolicyJson): { message: string; suggestion?: string }[] {
  const faults: { message: string; suggestion?: string }[] = [];
  for (const key of Object.keys(annotations).filter((one) => !annotationsKnown.includes(one))) {
    const suggestion = nearest(key, annotationsKnown);
    faults.push({ message: `The annotation @${key} is not known here.`, ...(suggestion ? { suggestion } : {}) });
  }
  const { id } = annotations;
  if (id === undefined) faults.push({ message: 'The policy has no @id("…").' });
  else if (!idPattern.test(id))
    faults.push({ message: `The id "${id}" may hold only a-z 0-9 . _ / -, up to 100 of them.` });
  else if (/^(?:tier|ceiling)\//.test(id))
    faults.push({ message: `The id "${id}" begins with a prefix that is kept for tiers.` });
  return faults;
}

/** From the scope alone, which Cedar checks before any condition. */
function actionsOf({ action, resource }: PolicyJson): Action[] {
  const named = (uid: object): readonly Action[] => {
    const { id } = '__entity' in uid ? (uid.__entity as { id: string }) : (uid as { id: string });
    return actions.filter((one) => one === id || one.startsWith(`${id}.`));
  };
  const byAction = (): readonly Action[] => {
    if (action.op === 'All') return actions;
    if ('entity' in action) return named(action.entity);
    if ('entities' in action) return action.entities.flatMap(named);
    return actions;
  };
  const type = resource.op === 'is' ? resource.entity_type.replace(/^Agov::/, '') : undefined;
  return [...new Set(byAction())].filter((one) => type === undefined || resourceType(one) === type);
}

function validate(cedar: CedarApi, schema: SchemaJson, placed: ReadonlyMap<string, Placed>): Fault[] {
  if (placed.size === 0) return [];
  const staticPolicies = Object.fromEntries([...placed].map(([id, { rule }]) => [id, rule.text]));
  const policies = { staticPolicies };
  // What holds in the part of the schema that these policies are about holds in the whole, where they meet no other
  // request. The whole takes several times as long, which every start would feel; it is asked for the words of a fault.
  const about = [...placed.values()].flatMap(({ rule }) => rule.actions);
  const quick = cedar.validate({ schema: schemaAbout(schema, about), policies });
  if (quick.type === 'success' && quick.validationErrors.length + quick.validationWarnings.length === 0) return [];
  const answer = cedar.validate({ schema, policies });
  const files = [...placed.values()][0];
  if (answer.type === 'failure') {
    return files ? answer.errors.map((error) => fault(files.source, 0, sentence(error))) : [];
  }
  const found = new Map<string, Fault>();
  // Success says only that the validator ran.
  for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
    const one = placed.get(policyId);
    if (!one) continue;
    const start = error.sourceLocations?.[0]?.start ?? 0;
    const key = `${policyId} ${start}`;
    // One slip is reported once for each action that the policy can meet; the first will do.
    if (!found.has(key)) found.set(key, engineFault(one.source, one.offset, one.rule.text, error));
  }
  return [...found.values()];
}

/** Cedar counts in bytes of UTF-8, from the beginning of `text`, which stands at `base` of the file. */
function engineFault(source: PolicyFile, base: number, text: string, error: DetailedError): Fault {
  const bytes = error.sourceLocations?.[0]?.start ?? 0;
  const units = Buffer.from(text).subarray(0, bytes).toString().length;
  return fault(source, base + units, sentence(error));
}

function sentence({ message, help, sourceLocations }: DetailedError): string {
  const text = message.replace(/^for policy `[^`]*`, /, '').replace(/^failed to parse [^:]*: /, '');
  const label = sourceLocations?.[0]?.label;
  return [text, label ?? '', help ?? ''].filter(Boolean).map(punctuated).join(' ');
}

function punctuated(text: string, i: number): string {
  const begun = i === 0 ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(begun) ? begun : `${begun}.`;
}

function at({ source, offset }: Placed, units: number, message: string): Fault {
  return fault(source, offset + units, message);
}

function fault({ file, text }: PolicyFile, offset: number, message: string, suggestion?: string): Fault {
  return { file, ...placeOf(text, offset), path: '', message, ...(suggestion ? { suggestion } : {}) };
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

function lineOf({ source, offset }: Placed): number {
  return placeOf(source.text, offset).line;
}
