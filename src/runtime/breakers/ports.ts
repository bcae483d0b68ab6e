/**
 * The ports behind a breaker. What stays open at all times: following events, which reconnects by itself and by which a
 * revocation arrives; a mark that takes standing away, and its announcement; the end of a lease; the end of an identity,
 * its suspension and what undoes that.
 */
import type { Identities } from '../../adapters/authority/port.ts';
import type { Model } from '../../adapters/models/port.ts';
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { Signer } from '../../adapters/signer/port.ts';
import type { State } from '../../adapters/state/port.ts';
import { type AgovError, isAgovError } from '../../kernel/index.ts';
import type { Breaker } from './breaker.ts';

/** `urgent`: for a revocation, which tries whatever the breaker says. */
export type Urgency = 'held' | 'urgent';

export function guardState(state: State, breaker: Breaker, urgency: Urgency = 'held'): State {
  const ask = way(breaker, urgency);
  return {
    registry: {
      ...guarded(state.registry, ask),
      put: (agent) => (agent.status === 'active' ? ask : breaker.pass)(() => state.registry.put(agent)),
    },
    locks: guarded(state.locks, ask),
    counters: guarded(state.counters, ask),
    board: guarded(state.board, ask),
    events: {
      ...guarded({ read: state.events.read, last: state.events.last }, ask),
      publish: (topic, body) => breaker.pass(() => state.events.publish(topic, body)),
      follow: (signal, after) => state.events.follow(signal, after),
    },
    [Symbol.asyncDispose]: () => state[Symbol.asyncDispose](),
  };
}

export function guardSecrets(secrets: Secrets, breaker: Breaker, urgency: Urgency = 'held'): Secrets {
  const { [Symbol.asyncDispose]: _, ...methods } = secrets;
  return {
    ...guarded(methods, way(breaker, urgency)),
    end: (id) => breaker.pass(() => secrets.end(id)),
    [Symbol.asyncDispose]: () => secrets[Symbol.asyncDispose](),
  };
}

/** A credential ends its token itself, whatever the breaker says. */
export function guardIdentities(identities: Identities, breaker: Breaker): Identities {
  const { suspend, restore, retire, revoke, revokeTier, ...others } = identities;
  return {
    ...guarded(others, breaker.call),
    ...guarded({ suspend, restore, retire, revoke, revokeTier }, breaker.pass),
  };
}

export function guardSigner(signer: Signer, breaker: Breaker, urgency: Urgency = 'held'): Signer {
  const { place, deadlineMs, ...methods } = signer;
  return { place, deadlineMs, ...guarded(methods, way(breaker, urgency)) };
}

/** Its own words of refusal, and an answer that is none, are no outage. */
export function guardModel(model: Model, breaker: Breaker): Model {
  return { ...model, complete: (request) => breaker.call(() => model.complete(request)) };
}

export function isModelOutage(error: unknown): error is AgovError {
  return isAgovError(error, 'MODEL_UNAVAILABLE');
}

/** Every method of `port`, each through `ask`; all of them must give promises. */
export function guarded<T extends object>(port: T, ask: Breaker['call']): T {
  const methods = Object.entries(port).map(([name, method]) => [
    name,
    (...args: unknown[]) => ask(async () => method.apply(port, args)),
  ]);
  return Object.fromEntries(methods) as T; // the same methods, with the same arguments and answers
}

function way(breaker: Breaker, urgency: Urgency): Breaker['call'] {
  return urgency === 'urgent' ? breaker.pass : breaker.call;
}

/** What a Redis server replies that cannot answer now; its other errors are about the question. */
const passingReplies = new Set([
  'LOADING',
  'BUSY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'OOM',
  'MISCONF',
  'READONLY',
]);

export function isStateOutage(error: unknown): error is AgovError {
  if (!isAgovError(error, 'STATE_UNAVAILABLE')) return false;
  const reply = error.details?.['reply'];
  return reply === undefined || passingReplies.has(String(reply));
}

/** Vault has answered, and the answer is no. */
const vaultRefusals = new Set(['capability', 'mount', 'namespace', 'refused', 'token', 'unrevoked', 'closed']);
/** One path fails, or answers oddly: what everybody else asks Vault for must not be held back for it. */
const faultsOfOnePath = new Set(['engine', 'garbage']);

export function isVaultOutage(error: unknown): error is AgovError {
  return isSigningOutage(error) && !faultsOfOnePath.has(String(error.details?.['reason']));
}

/** Signing is one path, with a breaker of its own. */
export function isSigningOutage(error: unknown): error is AgovError {
  if (!isAgovError(error, 'SECRETS_UNAVAILABLE', 'LEDGER_UNAVAILABLE')) return false;
  return !vaultRefusals.has(String(error.details?.['reason']));
}
