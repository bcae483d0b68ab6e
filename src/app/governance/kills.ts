/** Kill, freeze and thaw, with what a kill may not be held back by: its stores pass the breakers. */
import type { AgentRecord } from '../../adapters/state/port.ts';
import type { KillParts, KillReport, KillTarget, Thawed, UnfinishedKill, Why } from '../../runtime/lifecycle/index.ts';
import type { Frame } from '../frame.ts';
import type { Stores } from '../state/stores.ts';
import type { IdentityDoor } from './identities.ts';

export interface Kills {
  kill(target: KillTarget, why: Why, onProgress?: KillParts['onProgress']): Promise<readonly KillReport[]>;
  freeze(target: KillTarget, why: Why, onProgress?: KillParts['onProgress']): Promise<readonly KillReport[]>;
  thaw(target: KillTarget, why: Why, onProgress?: KillParts['onProgress']): Promise<Thawed>;
  /** Stops what runs by a tier that the agent no longer has. */
  stopMoved(agent: AgentRecord, why: Why): Promise<KillReport>;
  /** Tries again what kills, freezes and thaws could not do. `quick`: nothing that waits for others. */
  retryKills(options?: {
    readonly quick?: boolean;
    readonly onProgress?: KillParts['onProgress'];
  }): Promise<readonly KillReport[]>;
  unfinishedKills(): Promise<readonly UnfinishedKill[]>;
}

export function openKills(
  { env, config }: Frame,
  { ledger, urgent }: Stores,
  { identities }: IdentityDoor,
  host: string,
): Kills {
  // Loaded by the first that needs it: most commands kill nothing.
  const load = (): Promise<typeof import('../../runtime/lifecycle/index.ts')> =>
    import('../../runtime/lifecycle/index.ts');
  const parts = async (onProgress: KillParts['onProgress']): Promise<KillParts> => ({
    ...{ env, host, ledger: await urgent.ledger(), state: urgent.state, secrets: urgent.heldSecrets, identities },
    ...(onProgress ? { onProgress } : {}),
  });
  return {
    kill: async (target, why, onProgress) => (await load()).kill(await parts(onProgress), target, why),
    freeze: async (target, why, onProgress) => (await load()).freeze(await parts(onProgress), target, why),
    thaw: async (target, why, onProgress) => (await load()).thaw(await parts(onProgress), target, why),
    stopMoved: async (agent, why) => (await load()).stopAgent(await parts(undefined), agent, why),
    async retryKills({ quick = false, onProgress } = {}) {
      const { retryKills } = await load();
      // A server that is away would hold up every start; whoever asks for the retry itself waits for it.
      const hurry = quick
        ? { deadlineMs: 500, skip: config.secrets.vault ? (['identity', 'leases'] as const) : [] }
        : {};
      return retryKills({ ...(await parts(onProgress)), ...hurry });
    },
    unfinishedKills: async () => (await load()).unfinishedKills(await ledger()),
  };
}
