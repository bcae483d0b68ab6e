/** Agents' identities outside of agov, and what uses them: Vault, where the project has it. */
import type { Identities } from '../../adapters/authority/port.ts';
import type { Governor } from '../../governance/governor/index.ts';
import { leaseMs, type Tiers } from '../../governance/tiers/index.ts';
import type { StandingParts } from '../../runtime/bootstrap/index.ts';
import type { Why } from '../../runtime/lifecycle/index.ts';
import { type Acquire, createAcquire, type Roster, rememberTampering } from '../../work/agents/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Breakers } from '../state/breakers.ts';
import type { Stores } from '../state/stores.ts';

export interface IdentityDoor {
  /** Undefined where agents have no identity but their name in the ledger. */
  identities(): Promise<Identities | undefined>;
}

/** More than a lease, so that one taken at once has its whole time. */
const spareMs = 30_000;
/** Acts of the governor's own accord. */
const itself = { operator: 'governor', user: 'agov' };

export function openIdentities(
  { env, ids, config, project }: Frame,
  { vault, urgent }: Pick<Stores, 'vault' | 'urgent'>,
  guards: Pick<Breakers, 'identities'>,
  tiers: () => Promise<Tiers>,
): IdentityDoor {
  const identities = once(async () => {
    const [server, settings] = [await vault(), config.secrets.vault];
    if (!server || !settings) return undefined;
    const { openVaultIdentities, vaultNames } = await import('../../adapters/authority/vault/index.ts');
    const declared = await tiers();
    const open = (): Identities =>
      openVaultIdentities({
        ...{ vault: server, env, ids, mount: settings.mount, project: project.instance },
        names: vaultNames(settings.prefix),
        tokenMs: (tier) => leaseMs(declared, tier) + spareMs,
      });
    return rememberTampering(await guards.identities(open), urgent.ledger);
  });
  return { identities };
}

/** How an agent's identity is got for a command. */
export async function acquireWith(
  { identities }: IdentityDoor,
  { ledger }: Pick<Stores, 'ledger'>,
  { governor }: { governor(): Promise<Governor> },
  freeze: (target: { readonly agent: string }, why: Why) => Promise<unknown>,
): Promise<Acquire> {
  return createAcquire({
    identities,
    ...{ ledger: await ledger(), governor: await governor() },
    freeze: (agent, reason) => freeze({ agent }, { by: itself, reason }),
  });
}

/** What operators' acts on an agent's standing need. */
export async function standingWith(
  { identities }: IdentityDoor,
  { ledger }: Pick<Stores, 'ledger'>,
  { roster }: { roster(): Promise<Roster> },
  stopMoved: StandingParts['stopMoved'],
): Promise<StandingParts> {
  return { identities, ledger: await ledger(), roster: await roster(), stopMoved };
}
