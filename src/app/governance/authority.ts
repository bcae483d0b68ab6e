/** What gives agents their identity and bounds them outside of agov: Vault, where the project has it. */
import type { Layout } from '../../adapters/authority/port.ts';
import { compileVault, leaseMs } from '../../governance/tiers/index.ts';
import type { LayoutReport } from '../../runtime/bootstrap/index.ts';
import type { OperatorAct } from '../../work/agents/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Stores } from '../state/stores.ts';
import type { Rules } from './rules.ts';

export interface Authority {
  /** What follows from declaration and configuration, and audit devices to the files that are named. */
  layout(auditFiles: readonly string[]): Promise<Layout>;
  /** Mends what differs; each change is on record. */
  mendLayout(layout: Layout, command: 'setup' | 'fix', by: OperatorAct): Promise<LayoutReport>;
}

export interface AuthorityDoor {
  /** Undefined where the project has no Vault. */
  authority(): Promise<Authority | undefined>;
}

export function openAuthority({ env, config }: Frame, { vault, ledger }: Stores, { tiers }: Rules): AuthorityDoor {
  const authority = once(async (): Promise<Authority | undefined> => {
    const server = await vault();
    const settings = config.secrets.vault;
    if (!server || !settings) return undefined;
    const { vaultLayout, vaultNames } = await import('../../adapters/authority/vault/index.ts');
    const { mount, prefix } = settings;
    const engines = new Map(Object.values(settings.engines).map(({ path, parameters }) => [path, Boolean(parameters)]));
    return {
      async layout(auditFiles) {
        const declared = await tiers();
        const policies = compileVault(declared, settings).map(({ name, hcl: text }) => ({ name, text }));
        return vaultLayout(
          { vault: server, names: vaultNames(prefix), mount, engines, env },
          {
            ...{ policies, auditFiles, tokenMs: (tier) => leaseMs(declared, tier) },
            signingKey: config.ledger.transit,
          },
        );
      },
      async mendLayout(layout, command, by) {
        const { mendLayout } = await import('../../runtime/bootstrap/index.ts');
        return mendLayout({ layout, ledger, signedThere: config.ledger.transit !== undefined, command, by });
      },
    };
  });
  return { authority };
}
