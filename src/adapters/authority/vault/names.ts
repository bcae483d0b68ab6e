/**
 * Names of what agov makes in Vault. A prefix holds no dash, so that no agent of one project has the name of another's:
 * `agov` with `x-bob` and `agov-x` with `bob` would be one entity.
 */
import type { Tier } from '../../../schemas/index.ts';

export interface VaultNames {
  readonly prefix: string;
  /** Mount of the tier's AppRole (`agov-t1`, below `auth/`), its group, and the policy that the group gives. */
  ofTier(tier: Tier): string;
  /** What the governor's own token is given from day to day; it may set nothing up. */
  readonly governorPolicy: string;
  /** Agents' entities. */
  ofAgent(agent: string): string;
}

export function vaultNames(prefix: string): VaultNames {
  return {
    prefix,
    ofTier: (tier) => `${prefix}-${tier.toLowerCase()}`,
    governorPolicy: `${prefix}-governor`,
    ofAgent: (agent) => `${prefix}-${agent}`,
  };
}
