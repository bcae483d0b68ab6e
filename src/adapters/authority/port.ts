/**
 * The authority gives agents their identity and bounds what their tokens may do, whatever a governor says. What stands
 * there for the project as a whole is its layout. Every call throws AgovError SECRETS_UNAVAILABLE when the authority
 * cannot answer, and names what the token lacks.
 */
import type { JsonObject, Secret } from '../../kernel/index.ts';
import type { Tier } from '../../schemas/index.ts';

/** What tokens of one name may do, in the authority's own language. */
export interface StandingPolicy {
  readonly name: string;
  readonly text: string;
}

/** What is to stand, as far as it follows from the project. */
export interface LayoutWish {
  readonly policies: readonly StandingPolicy[];
  /** The life of its tokens, in milliseconds. */
  tokenMs(tier: Tier): number;
  /** Where the ledger's key is, if the authority keeps it. */
  readonly signingKey?: { readonly mount: string; readonly key: string } | undefined;
  /** Files that every request is logged to, as the authority's host has them. */
  readonly auditFiles: readonly string[];
}

/** One thing that is not as it should be. */
export interface Difference {
  /** Where it stands, as the authority names it. */
  readonly path: string;
  readonly kind: 'missing' | 'differs' | 'extra';
  /** Null where there is nothing. */
  readonly is: JsonObject | null;
  /** Null where there should be nothing. */
  readonly should: JsonObject | null;
  /** Why it is left to a person, and what they can do; absent where `mend` does it. */
  readonly left?: { readonly why: string; readonly fix: string };
  /** Whether a ledger whose key is in the authority needs it before it can take an entry. */
  readonly signs?: true;
}

export interface Layout {
  /** Looks at everything and changes nothing. In the order in which they are to be mended. */
  differences(): Promise<readonly Difference[]>;
  /** Makes one thing what it should be. Done already is harmless. @throws AgovError CONFLICT for what is left */
  mend(difference: Difference): Promise<void>;
}

/** What an identity may be asked for: nothing while it is suspended, never again once it is retired or revoked. */
export type Standing = 'active' | 'suspended' | 'tampered' | 'retired' | 'revoked';

export interface Identity {
  readonly agent: string;
  readonly tier: Tier;
  readonly standing: Standing;
}

/** The right to log in once as one agent, in an envelope that shows whether somebody opened it. */
export interface Invitation {
  /** Opens the envelope, once. */
  readonly token: Secret;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Of one that was handed out of the process: it is known when it has been used. */
  readonly id?: string;
}

/** What an agent's own token may be used for is up to the authority. Disposing of it ends it, with all below it. */
export interface Credential extends AsyncDisposable {
  readonly token: Secret;
  /** Ends the token and cannot be used as one. For the ledger by its hash. */
  readonly accessor: string;
  /** Milliseconds from now. */
  readonly lifeMs: number;
}

/** What came of an end: the sentences are for the record. */
export interface Ended {
  /** False when there was nothing to end. */
  readonly known: boolean;
  readonly tokens: number;
}

/** How far an agent's retirement has come. */
export interface Retired {
  /** False where there is no identity. */
  readonly known: boolean;
  /** Tokens that what runs still holds. With none left the identity has ended. */
  readonly live: number;
}

export interface Identities {
  /**
   * Makes an identity of that tier, finishes one that was begun, moves one of another tier: live tokens have the new
   * tier's rights, and no others, from their next request on. Done already is harmless.
   * @throws AgovError CONFLICT for one that has ended, or that is not this project's to have; NOT_FOUND before the
   * layout is there
   */
  enroll(agent: string, tier: Tier): Promise<void>;
  /** Undefined where the agent has none. */
  look(agent: string): Promise<Identity | undefined>;
  /** Live tokens and logins are refused from now on; false where there is no identity. */
  suspend(agent: string, cause?: 'tampered'): Promise<boolean>;
  /** Ends a suspension. After tampering the identity is made anew, so that what was taken stays worthless. */
  restore(agent: string): Promise<boolean>;
  /**
   * For good, and what runs may end: nobody logs in from now on, live tokens serve to their own end, and once there is
   * none the identity goes. Harmless to repeat, which whoever is told of live tokens does later.
   */
  retire(agent: string): Promise<Retired>;
  /** For good. The identity first, then its tokens with their leases. Harmless to repeat. */
  revoke(agent: string): Promise<Ended>;
  /** Every token of the tier at once; the identities stay. */
  revokeTier(tier: Tier): Promise<Ended>;
  /** `delivered`: it leaves this process. @throws AgovError NOT_FOUND, AGENT_NOT_ACTIVE */
  invite(agent: string, options: { readonly ttlMs: number; readonly delivered?: boolean }): Promise<Invitation>;
  /**
   * Uses an invitation up.
   * @throws AgovError IDENTITY_TAMPERED when somebody opened it first, or it is not what it should be; INVITATION_INVALID
   * when it is used, expired or another agent's
   */
  accept(agent: string, invitation: Invitation): Promise<Credential>;
}
