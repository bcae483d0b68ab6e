/** What the proxy is asked, what it asks, and what it tells. */
import type { Env } from '../../kernel/index.ts';
import type { Resolve } from './addresses.ts';
import type { Endpoint } from './endpoint.ts';
import type { Limits } from './watch.ts';

export interface EgressRequest extends Endpoint {
  /** `CONNECT` for a tunnel, whose inside nobody sees; else the HTTP method. */
  readonly method: string;
}

export interface EgressOutcome {
  /** Bytes from the network to the sandbox, and from the sandbox to the network. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly error?: string;
}

export interface Authorisation {
  readonly allow: boolean;
  readonly reason: string;
  /** Called once, only where `allow` is true. */
  end(outcome: EgressOutcome): Promise<void>;
}

export interface EgressOptions {
  /** At most 107 bytes, in a folder that only this user can enter. */
  readonly socketPath: string;
  /** Must not let a pattern match a literal address that the list does not name: such a host is connected to as it is. */
  authorize(request: EgressRequest): Promise<Authorisation>;
  readonly env: Env;
  /** Aborting cuts every connection. */
  readonly signal?: AbortSignal;
  /** Names that may lead to private addresses. */
  readonly allowPrivate?: readonly string[];
  readonly resolve?: Resolve;
  readonly limits?: Limits;
}

export interface EgressProxy extends AsyncDisposable {
  readonly socketPath: string;
}

export interface Passage {
  readonly request: EgressRequest;
  readonly authorisation: Authorisation;
  readonly address: string;
}

export type Refusal = { readonly status: 400 | 403 | 502 | 503; readonly reason: string };
