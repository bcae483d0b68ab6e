/**
 * The authority gives agents their identity and bounds what their tokens may do, whatever a governor says. What stands
 * there for the project as a whole is its layout. Every call throws AgovError SECRETS_UNAVAILABLE when the authority
 * cannot answer, and names what the token lacks.
 */
import type { Json } from '../../kernel/index.ts';
import type { Tier } from '../../schemas/index.ts';

/** What tokens of one name may do, in the authority's own language. */
export interface StandingPolicy {
  readonly name: string;
  readonly text: string;
}

/** What is to stand, as far as it follows from the project. */
export interface LayoutWish {
  readonly policies: readonly StandingPolicy[];
  /** By tier: the life of its tokens, in milliseconds. */
  readonly tokenMs: Readonly<Record<Tier, number>>;
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
  readonly is: Json;
  /** Null where there should be nothing. */
  readonly should: Json;
  /** Why it is left to a person, and what they can do; absent where `mend` does it. */
  readonly left?: { readonly why: string; readonly fix: string };
}

export interface Layout {
  /** Looks at everything and changes nothing. In the order in which they are to be mended. */
  differences(): Promise<readonly Difference[]>;
  /** Makes one thing what it should be. Done already is harmless. @throws AgovError CONFLICT for what is left */
  mend(difference: Difference): Promise<void>;
}
