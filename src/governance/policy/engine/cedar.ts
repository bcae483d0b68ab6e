/**
 * The Cedar engine. Its wasm keeps parsed schemas and policy sets in a process-wide table under names; this file owns
 * the names, so that one set never answers for another, and hands a freed name out again, since nothing else frees memory.
 */
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { canonicalHash, messageOf } from '../../../kernel/index.ts';

export type CedarApi = typeof Cedar;
export type SchemaJson = Cedar.SchemaJson<string>;
type Call = Cedar.StatefulAuthorizationCall;
export type CedarRequest = Omit<Call, 'preparsedSchemaName' | 'validateRequest' | 'preparsedPolicySetId'>;

export type Evaluation =
  | { readonly ok: true; readonly allowed: boolean; readonly determining: readonly string[] }
  /** Something went wrong, so that nothing may be concluded: Cedar itself would skip what failed, forbids included. */
  | { readonly ok: false; readonly message: string; readonly policies: readonly string[] };

/** What of a request some policy mentions. The rest is left out, of the request and of its schema: it costs half the time. */
export interface Needs {
  readonly approvals: boolean;
  readonly session: boolean;
  /** The agent's name and tier, beside its level. */
  readonly identity: boolean;
  /** The intent's arguments, as tags. */
  readonly arguments: boolean;
  /** The resource's attributes, beside its type and id. */
  readonly resource: boolean;
}

/** Parsed policies, ready to be asked with what they need. */
export interface Slot extends Disposable {
  readonly needs: Needs;
  evaluate(request: CedarRequest): Evaluation;
}

export interface Engine {
  readonly cedar: CedarApi;
  /** Parses policies, by id, and keeps them until disposed. Throws on what does not parse. */
  prepare(policies: Readonly<Record<string, string | Cedar.PolicyJson>>): Slot;
}

/** Names of the wasm's table that are free again. It is one table a process, so its names are too. */
const freeNames: string[] = [];
const countNames = { next: 0 };

/** Loads the wasm (some 25 ms the first time). `schema` is parsed action by action, when one is first asked about. */
export async function startEngine(schema: SchemaJson): Promise<Engine> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  const schemaOf = schemasByAction(cedar, schema);
  return {
    cedar,
    prepare(policies) {
      const name = freeNames.pop() ?? `agov/${countNames.next++}`;
      const answer = cedar.preparsePolicySet(name, { staticPolicies: { ...policies } });
      if (answer.type === 'failure') {
        freeNames.push(name);
        throw new Error(answer.errors.map((e) => e.message).join('; '));
      }
      const needs = needsOf(policies);
      let open = true;
      return {
        needs,
        evaluate(request) {
          if (!open) return failed('this policy set is no longer in use');
          const preparsedSchemaName = schemaOf(request.action as Cedar.TypeAndId, needs);
          return evaluate(cedar, { ...request, preparsedSchemaName, preparsedPolicySetId: name });
        },
        [Symbol.dispose]() {
          if (!open) return;
          open = false;
          // An empty set takes the old one's place, which frees it, and denies whatever still asks.
          cedar.preparsePolicySet(name, { staticPolicies: {} });
          freeNames.push(name);
        },
      };
    },
  };
}

/** By the words outside annotations; what an escape could hide counts as needed. */
function needsOf(policies: Readonly<Record<string, string | Cedar.PolicyJson>>): Needs {
  const texts = Object.values(policies).map((policy) =>
    typeof policy === 'string' ? policy.replace(/@\w+\s*\("(?:[^"\\]|\\.)*"\)/g, '') : JSON.stringify(policy),
  );
  const mentions = (word: RegExp): boolean =>
    texts.some((text) => text.includes('\\') || word.test(text.replace(/\bresource\.name\b/g, '')));
  return {
    approvals: mentions(/approvals/),
    session: mentions(/session/),
    identity: mentions(/\b(?:name|tier)\b/),
    arguments: mentions(/hasTag|getTag/),
    // Once is the scope, which every policy has and which needs no attributes.
    resource: texts.some((text) => text.includes('\\') || (text.match(/\bresource\b/g)?.length ?? 0) > 1),
  };
}

/**
 * The part of the schema that one action's requests can touch, under a name. The whole takes ten times as long to
 * parse, which a process that asks once (a hook) would feel.
 */
function schemasByAction(cedar: CedarApi, schema: SchemaJson): (action: Cedar.TypeAndId, needs: Needs) => string {
  const names = new Map<string, string>();
  return ({ id }, needs) => {
    const key = `${id} ${needs.session} ${needs.identity}`;
    const known = names.get(key);
    if (known) return known;
    const part = partFor(schema, id, needs);
    const name = `agov/${canonicalHash(part)}`;
    const parsed = cedar.preparseSchema(name, part);
    if (parsed.type === 'failure') throw new Error(parsed.errors.map((e) => e.message).join('; '));
    names.set(key, name);
    return name;
  };
}

/** What policies about `ids` alone can mention: those actions with their groups, the agent, and their kinds of resource. */
export function schemaAbout({ Agov: whole }: SchemaJson, ids: readonly string[]): SchemaJson {
  if (!whole) throw new Error('the schema has no namespace Agov');
  const about = Object.entries(whole.actions).filter(([id]) => ids.includes(id));
  const groups = about.flatMap(([, action]) => (action?.memberOf ?? []).map((group) => group.id));
  const types = about.flatMap(([, action]) => action?.appliesTo?.resourceTypes ?? []);
  return {
    Agov: {
      ...whole,
      entityTypes: pick(whole.entityTypes, ['Agent', ...types]),
      actions: pick(whole.actions, [...ids, ...groups]),
    },
  };
}

function partFor({ Agov: whole }: SchemaJson, id: string, needs: Needs): SchemaJson {
  const action = whole?.actions[id];
  const { appliesTo } = action ?? {};
  const agent = whole?.entityTypes['Agent'];
  if (!whole || !appliesTo?.context || !agent || !('shape' in agent) || !agent.shape) {
    throw new Error(`the schema has no action ${id}`);
  }
  const groups = (action?.memberOf ?? []).map((group) => group.id);
  const context = needs.session ? appliesTo.context : without(appliesTo.context, ['session']);
  const shape = needs.identity ? agent.shape : without(agent.shape, ['name', 'tier']);
  return {
    Agov: {
      ...whole,
      entityTypes: { ...pick(whole.entityTypes, appliesTo.resourceTypes), Agent: { ...agent, shape } },
      actions: { ...pick(whole.actions, groups), [id]: { ...action, appliesTo: { ...appliesTo, context } } },
    },
  };
}

function without(
  record: Cedar.AttributesOrContext<string>,
  keys: readonly string[],
): Cedar.AttributesOrContext<string> {
  if (!('attributes' in record)) return record;
  const attributes = Object.entries(record.attributes).filter(([key]) => !keys.includes(key));
  return { ...record, attributes: Object.fromEntries(attributes) };
}

function pick<T>(all: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([key]) => keys.includes(key)));
}

function evaluate(cedar: CedarApi, call: Omit<Call, 'validateRequest'>): Evaluation {
  let answer: Cedar.AuthorizationAnswer;
  try {
    answer = cedar.statefulIsAuthorized({ ...call, validateRequest: true });
  } catch (error) {
    // To translate: a panic in the wasm, or a value that it cannot take, is an answer like any other failure.
    return failed(messageOf(error));
  }
  if (answer.type === 'failure') return failed(answer.errors.map((e) => e.message).join('; '));
  const { decision, diagnostics } = answer.response;
  const [first] = diagnostics.errors;
  if (first) return failed(first.error.message, diagnostics.errors.map((e) => e.policyId).sort());
  return { ok: true, allowed: decision === 'allow', determining: diagnostics.reason };
}

function failed(message: string, policies: readonly string[] = []): Evaluation {
  return { ok: false, message, policies };
}
