/** Tiers as sandbox profiles: what a tier's processes can touch, and for T3 what one action of it needs. */
import { type Action, type Tier, tiers } from '../../schemas/index.ts';
import type { TierSpec } from './declaration.ts';
import { hostLists, type Overrides } from './lists.ts';
import type { Tiers } from './load.ts';

export interface TierSandbox {
  readonly access: TierSpec['sandbox']['access'];
  readonly network: TierSpec['sandbox']['network'];
  /** Host patterns for the egress proxy; empty where there is no network. */
  readonly hosts: readonly string[];
}

export interface ActionSandbox {
  /** `none`: no process may be started. */
  readonly access: 'none' | 'read-only' | 'read-write';
  readonly network: 'none' | 'listed';
  readonly hosts: readonly string[];
}

export function compileSandbox(declared: Tiers, overrides?: Overrides): Record<Tier, TierSandbox> {
  const lists = hostLists(declared, overrides);
  const of = (tier: Tier): TierSandbox => {
    const { access, network } = declared.declaration.tiers[tier].sandbox;
    return { access, network, hosts: network === 'none' ? [] : lists[tier] };
  };
  // The keys are exactly the tiers.
  return Object.fromEntries(tiers.map((tier) => [tier, of(tier)])) as Record<Tier, TierSandbox>;
}

/** The sandbox for one action: `per-action` gives what this kind of action cannot do without. */
export function sandboxFor({ access, network, hosts }: TierSandbox, action: Action): ActionSandbox {
  const { writes, reaches } = needs(action);
  const open = network === 'per-action' ? reaches : network === 'listed';
  return {
    access: access === 'per-action' ? (writes ? 'read-write' : 'read-only') : access,
    network: open && hosts.length > 0 ? 'listed' : 'none',
    hosts: open ? hosts : [],
  };
}

function needs(action: Action): { readonly writes: boolean; readonly reaches: boolean } {
  switch (action) {
    case 'fs.write':
    case 'fs.delete':
    case 'repo.commit':
    case 'repo.discard':
      return { writes: true, reaches: false };
    case 'process.exec':
    case 'tool.call':
    case 'infra.plan':
    case 'infra.apply':
    case 'infra.destroy':
    case 'repo.push':
    case 'repo.merge':
    case 'pipeline.run':
      return { writes: true, reaches: true };
    case 'net.request':
      return { writes: false, reaches: true };
    default:
      return { writes: false, reaches: false };
  }
}
