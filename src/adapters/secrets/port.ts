/**
 * Secrets behind leases. A value leaves the store only inside a lease that ends. Every call throws AgovError
 * SECRETS_UNAVAILABLE when the store cannot answer, and the caller denies.
 */
import type { Secret } from '../../kernel/index.ts';

export interface SecretInfo {
  readonly path: string;
  /** 1 for the first value; grows by one at each `set`, also after a removal. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

export interface LeaseInfo {
  readonly id: string;
  readonly path: string;
  readonly version: number;
  /** The id of the intent that the lease serves. */
  readonly intent: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Why it lives on although it should have ended; it is tried again. */
  readonly unended?: string;
}

export interface Lease extends LeaseInfo {
  readonly value: Secret;
  /** The texts inside a value of several fields; each is to be redacted as the value is. */
  readonly parts?: readonly Secret[];
}

export interface LeaseOptions {
  readonly ttlMs: number;
  readonly intent: string;
  /**
   * The agent's own token: a store with an authority of its own reads with what that token may, and the lease ends with
   * it at the latest. A store without one has nothing to hold it against.
   */
  readonly identity?: Secret | undefined;
}

export interface Secrets extends AsyncDisposable {
  /** Stores a value of 1 to 65,536 bytes of UTF-8. @throws SECRET_PATH_INVALID, INPUT_INVALID */
  set(path: string, value: Secret): Promise<SecretInfo>;
  /** Names only, by path; `prefix` ends at a segment border (`dev` lists `dev/db`, not `develop/x`). */
  list(prefix?: string): Promise<readonly SecretInfo[]>;
  /** Also ends the path's leases. @throws NOT_FOUND */
  remove(path: string): Promise<void>;
  /** @throws NOT_FOUND, SECRET_PATH_INVALID; DENIED where the agent's own identity does not reach so far */
  lease(path: string, options: LeaseOptions): Promise<Lease>;
  /** Extends a lease to `ttlMs` from now. @throws NOT_FOUND when it has ended */
  renew(leaseId: string, ttlMs: number): Promise<LeaseInfo>;
  /**
   * Ends a lease. Ending one that has ended is harmless.
   * @throws SECRETS_UNAVAILABLE when it lives on: `leases` tells why
   */
  end(leaseId: string): Promise<void>;
  /** Those that have not ended, oldest first. */
  leases(): Promise<readonly LeaseInfo[]>;
}
