/** Secrets that an engine makes anew for each lease, such as the user of a database: they end at their origin. */
import { AgovError, type Secret } from '../../../../kernel/index.ts';
import {
  type Call,
  leasedAnswer,
  refusalAnswer,
  renewedAnswer,
  shaped,
  unavailable,
  type Vault,
} from '../../../vault-client/index.ts';

export interface Engine {
  /** What makes the credential, below `/v1/`: `database/creds/app`. */
  readonly path: string;
  /** Sent along where the engine wants to be told more; a plain read otherwise. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

export interface Made {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly leaseId: string;
  readonly renewable: boolean;
  readonly lifeMs: number;
}

export async function make(vault: Vault, call: Call, { path, parameters }: Engine, token: Secret): Promise<Made> {
  const request = parameters
    ? ({ method: 'POST', path, token, body: parameters } as const)
    : ({ method: 'GET', path, token } as const);
  const { lease_id, renewable, lease_duration, data } = await vault.ask(call, request, leasedAnswer);
  if (lease_id !== '') return { fields: data, leaseId: lease_id, renewable, lifeMs: lease_duration * 1000 };
  throw unavailable('refused', {
    what: `The engine at ${path} gave a credential without a lease.`,
    why: 'What has no lease cannot be ended.',
    fix: 'Set the role to make leases (generate_lease=true for pki), or store the value as a secret.',
  });
}

/** Milliseconds that Vault's lease will live now; undefined when it cannot be renewed or has ended. */
export async function renewMade(vault: Vault, call: Call, leaseId: string, ms: number): Promise<number | undefined> {
  const path = 'sys/leases/renew';
  const body = { lease_id: leaseId, increment: Math.ceil(ms / 1000) };
  const answer = await vault.send(call, { method: 'PUT', path, body }, 400);
  return answer.status === 400 ? undefined : shaped(path, answer, renewedAnswer).lease_duration * 1000;
}

/** Undefined when it is gone for certain; otherwise why not. Not by force: Vault would forget it, and it would live. */
export async function revokeMade(vault: Vault, call: Call, leaseId: string): Promise<string | undefined> {
  const body = { lease_id: leaseId, sync: true };
  const answer = await vault.send(call, { method: 'PUT', path: 'sys/leases/revoke', body }, 400);
  if (answer.status !== 400) return undefined;
  const refusal = refusalAnswer.safeParse(answer.json);
  if (refusal.success && refusal.data.errors.some((text) => text.includes('invalid lease'))) return undefined;
  return `Vault could not revoke it at its origin: ${vault.said(answer)}`;
}

export function notStored(path: string): AgovError {
  return new AgovError('CONFLICT', {
    what: `"${path}" is made by an engine of Vault for each lease.`,
    fix: 'It is under secrets.vault.engines in agov.yaml: take it out there, or use another path.',
  });
}
