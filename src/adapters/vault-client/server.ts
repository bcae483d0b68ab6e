/** What state a server is in that gave no usable answer: its own word (`sys/health`) where it gives one. */
import type { AgovError } from '../../kernel/index.ts';
import { healthAnswer } from './answers.ts';
import type { Answer } from './exchange/index.ts';
import { type Call, isSealed, type Transport } from './exchange/index.ts';
import { garbled, unavailable } from './refusals.ts';

/**
 * The error for an answer that is neither what was asked for nor a refusal of it. `serves`: whether Vault answers at a
 * path that no engine stands behind; without it what fails is taken for Vault itself.
 */
export async function unusable(
  transport: Transport,
  call: Call,
  path: string,
  answer: Answer,
  serves: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<AgovError> {
  const { status } = answer;
  if (status === 429) return throttled(transport.address, path, answer.retryAfterMs);
  if (isSealed(answer)) return sealed(transport.address);
  if (status < 300) return garbled(path, answer.json === undefined ? 'It is not JSON.' : 'It does not have the shape.');
  if (status < 500 && status !== 472 && status !== 473) return garbled(path, `Its status is ${status}.`);
  const asleep = await stateOf(transport, call);
  if (asleep) return asleep;
  return (await serves()) ? broken(transport.address, path, status) : failing(transport.address, path, status);
}

export interface ServerHealth {
  readonly state: 'active' | 'standby' | 'replica' | 'sealed' | 'uninitialised' | 'throttled';
  readonly version?: string;
  /** The server's clock in milliseconds since the epoch, cut to whole seconds by the server. */
  readonly at?: number;
}

/** What the server says of itself, asked once and without a token. @throws AgovError SECRETS_UNAVAILABLE */
export async function serverHealth(transport: Transport, call: Call): Promise<ServerHealth> {
  const path = 'sys/health';
  const { status, json } = await transport.send(call, { method: 'GET', path, once: true });
  const said = healthAnswer.safeParse(json);
  if (!said.success) {
    if (status === 429) return { state: 'throttled' };
    throw status < 500 ? garbled(path, `Its status is ${status}.`) : failing(transport.address, path, status);
  }
  const { initialized, sealed, standby, version, server_time_utc: seconds } = said.data;
  const replica = status === 472 || status === 473;
  const awake = replica ? 'replica' : standby ? 'standby' : 'active';
  return {
    state: initialized ? (sealed ? 'sealed' : awake) : 'uninitialised',
    ...(version === undefined ? {} : { version }),
    ...(seconds === undefined ? {} : { at: seconds * 1000 }),
  };
}

/** By https://developer.hashicorp.com/vault/api-docs/system/health; undefined for an active server. */
async function stateOf(transport: Transport, call: Call): Promise<AgovError | undefined> {
  const { status, json } = await transport.send(call, { method: 'GET', path: 'sys/health', once: true });
  const health = healthAnswer.safeParse(json);
  const { address } = transport;
  if (status === 472 || status === 473) {
    return unavailable('replica', {
      what: `Vault at ${address} is a replica that answers no such requests.`,
      fix: 'Name the primary cluster in secrets.vault.address.',
    });
  }
  if (!health.success) return undefined;
  if (!health.data.initialized) {
    return unavailable('uninitialised', {
      what: `Vault at ${address} is not initialised.`,
      fix: 'Run: vault operator init',
    });
  }
  if (health.data.sealed) return sealed(address);
  if (!health.data.standby) return undefined;
  return unavailable('standby', {
    what: `Vault at ${address} is a standby and finds no active node.`,
    fix: 'Wait for the cluster to choose a leader, then try again (vault operator raft list-peers).',
  });
}

function sealed(address: string): AgovError {
  return unavailable('sealed', { what: `Vault at ${address} is sealed.`, fix: 'Unseal it: vault operator unseal' });
}

function throttled(address: string, path: string, retryAfterMs: number | undefined): AgovError {
  return unavailable('throttled', {
    what: `Vault at ${address} throttles requests to ${path}.`,
    ...(retryAfterMs === undefined ? {} : { why: `It asks to wait for ${retryAfterMs / 1000} s.` }),
    fix: 'Try again later, or raise the quota (vault list sys/quotas/rate-limit).',
  });
}

/** One engine, or the server behind it: what others keep in the same Vault can be had. */
function broken(address: string, path: string, status: number): AgovError {
  return unavailable('engine', {
    what: `Vault at ${address} failed at ${path}, and serves other paths.`,
    why: `It answered ${status}, also to further tries.`,
    fix: "Look into the server's log for that mount, and at the server that its engine asks (a database, a cloud).",
  });
}

function failing(address: string, path: string, status: number): AgovError {
  return unavailable('server', {
    what: `Vault at ${address} failed at ${path}.`,
    why: `It answered ${status}, also to further tries.`,
    fix: "Look into the server's log; with its last audit device down it answers nothing else.",
  });
}
