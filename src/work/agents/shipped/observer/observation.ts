/** What an observer hands over. */
import type { Drift, Finding } from './findings.ts';
import type { Secrets } from './secrets/find.ts';
import type { Inventory } from './stock/inventory.ts';

export interface Observation {
  /** Nothing was found. */
  readonly clean: boolean;
  readonly findings: readonly Finding[];
  readonly inventory: Inventory | undefined;
  readonly secrets: Secrets | undefined;
  readonly drift: Drift | undefined;
  /** Of a model, about these findings; never a reason to leave one out. */
  readonly advice?: { readonly summary: string; readonly first: readonly Finding[] } | { readonly none: string };
}
