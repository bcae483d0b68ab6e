/**
 * The Cedar engine. Its wasm keeps parsed schemas and policy sets in a process-wide table under names; this file owns
 * the names, so that one set never answers for another, and hands a freed name out again, since nothing else frees memory.
 */
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { sha256Hex } from '../../../kernel/index.ts';

export type CedarApi = typeof Cedar;
type Call = Cedar.StatefulAuthorizationCall;
export type CedarRequest = Omit<Call, 'preparsedSchemaName' | 'validateRequest' | 'preparsedPolicySetId'>;

export type Evaluation =
  | { readonly ok: true; readonly allowed: boolean; readonly determining: readonly string[] }
  /** Something went wrong, so that nothing may be concluded: Cedar itself would skip what failed, forbids included. */
  | { readonly ok: false; readonly message: string; readonly policies: readonly string[] };

/** Parsed policies, ready to be asked. */
export interface Slot extends Disposable {
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

/** Loads the wasm (some 25 ms the first time) and parses `schema`. */
export async function startEngine(schema: string): Promise<Engine> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  const schemaName = `agov/${sha256Hex(schema)}`;
  const parsed = cedar.preparseSchema(schemaName, schema);
  if (parsed.type === 'failure') throw new Error(parsed.errors.map((e) => e.message).join('; '));
  return {
    cedar,
    prepare(policies) {
      const name = freeNames.pop() ?? `agov/${countNames.next++}`;
      const answer = cedar.preparsePolicySet(name, { staticPolicies: { ...policies } });
      if (answer.type === 'failure') {
        freeNames.push(name);
        throw new Error(answer.errors.map((e) => e.message).join('; '));
      }
      let open = true;
      return {
        evaluate(request) {
          if (!open) return failed('this policy set is no longer in use');
          return evaluate(cedar, { ...request, preparsedSchemaName: schemaName, preparsedPolicySetId: name });
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

function evaluate(cedar: CedarApi, call: Omit<Call, 'validateRequest'>): Evaluation {
  let answer: Cedar.AuthorizationAnswer;
  try {
    answer = cedar.statefulIsAuthorized({ ...call, validateRequest: true });
  } catch (error) {
    // To translate: a panic in the wasm, or a value that it cannot take, is an answer like any other failure.
    return failed(error instanceof Error ? error.message : String(error));
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
