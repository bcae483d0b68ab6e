/** Where in Vault a project's layout is, from its configuration. */
import type { VaultNames } from '../names.ts';

export interface LayoutPlace {
  readonly names: VaultNames;
  /** The KV mount. */
  readonly mount: string;
  /** Paths of the engines that make secrets for leases; true for one that is told parameters. */
  readonly engines: ReadonlyMap<string, boolean>;
}
