/** The memory of the project, for operators and for agents behind a channel. Opened when it is first asked for. */
import { join } from 'node:path';
import type { Desk, Memory, Senses } from '../../context/memory/index.ts';
import type { Channel } from '../../governance/governor/index.ts';
import type { OperatorAct } from '../../work/agents/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';
import type { Stores } from '../state/stores.ts';

export interface MemoryDoor {
  memory(): Promise<Memory>;
  /** The model that search by sense asks; undefined where none is configured. @throws CONFIG_INVALID */
  senses(): Promise<Senses | undefined>;
  /** The memory as this operator may use it. */
  memoryOf(operator: OperatorAct): Promise<Desk>;
  /** The memory as the agent behind this channel may use it: each use is an intent, below `parent` where there is one. */
  memoryFor(channel: Channel, parent?: string): Promise<Desk>;
}

export function openMemoryDoor(frame: Frame, stores: Stores, rules: Rules): MemoryDoor {
  const { env, ids, project, config, keep } = frame;
  const senses = async () =>
    config.memory.embeddings === undefined ? undefined : (await import('../state/senses.ts')).openSenses(frame, stores);
  const writer = async () =>
    config.memory.summaries === undefined ? undefined : (await import('./writer.ts')).openWriter(frame, stores);
  const part = () => import('../../context/memory/index.ts');
  const memory = once(async () => keep((await part()).openMemory({ path: join(project.data, 'memory.db'), env, ids })));
  const parts = async () => {
    const [found, wrote] = [await senses(), await writer()];
    const common = { memory: await memory(), ledger: stores.ledger, onSecret: config.memory.onSecret };
    return { ...common, ...(found ? { senses: found } : {}), ...(wrote ? { writer: wrote } : {}) };
  };
  return {
    ...{ memory, senses },
    memoryOf: async ({ operator, user }) => (await part()).deskOf(await parts(), { operator, user }),
    async memoryFor(channel, parent) {
      const teams = Object.entries(config.memory.teams)
        .filter(([, members]) => members.includes(channel.agent))
        .map(([team]) => team);
      const governor = await rules.governor();
      const { deskOf } = await part();
      return deskOf(await parts(), { channel, governor, teams, ...(parent === undefined ? {} : { parent }) });
    },
  };
}
