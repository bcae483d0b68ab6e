/** Makes the tiers' groups in Vault what the register says: each entity in one of them, and nobody else in any. */
import { AgovError } from '../../../../kernel/index.ts';
import { tiers } from '../../../../schemas/index.ts';
import { type Call, inParallel, shaped, unavailable, type Vault } from '../../../vault-client/index.ts';
import type { VaultNames } from '../names.ts';
import { groupAnswer } from './answers.ts';
import { readEntity } from './entities.ts';
import { entitiesOf, type Register, type Snapshot } from './register.ts';

export interface Groups {
  /** Until they are what the register says now, also when others change it meanwhile. */
  align(call: Call): Promise<void>;
  /** @throws NOT_FOUND */
  idOf(call: Call, name: string): Promise<string>;
}

const attempts = 20;

export function groups(vault: Vault, names: VaultNames, known: Register): Groups {
  const read = async (call: Call, name: string) => {
    const path = `identity/group/name/${name}`;
    const answer = await vault.send(call, { method: 'GET', path }, 404);
    // Not made here: a group without its policy would look like one that is in order.
    if (answer.status === 404) throw notSetUp(`the group ${name}`);
    return shaped(path, answer, groupAnswer).data;
  };

  const write = async (call: Call, name: string, members: readonly string[]): Promise<void> => {
    const body = { member_entity_ids: [...members] };
    await vault.send(call, { method: 'POST', path: `identity/group/name/${name}`, body });
  };

  const alignTo = async (call: Call, wanted: Snapshot): Promise<void> => {
    const now = await Promise.all(
      tiers.map(async (tier) => {
        const name = names.ofTier(tier);
        return { name, has: (await read(call, name)).member_entity_ids, should: entitiesOf(wanted, tier) };
      }),
    );
    // What is to go goes first: between the two steps an agent has too little, never too much.
    for (const { name, has, should } of now) {
      const kept = has.filter((entity) => should.includes(entity));
      if (kept.length < has.length) await write(call, name, kept);
    }
    for (const { name, has, should } of now) {
      if (should.some((entity) => !has.includes(entity))) await write(call, name, should);
    }
  };

  /** Vault takes no group with a member that somebody deleted; the others must not wait for that one. */
  const livingOf = async (call: Call, { agents, revision }: Snapshot): Promise<Snapshot> => {
    const living = await inParallel([...agents], async ([agent, member]) => {
      const entity = await readEntity(vault, call, names.ofAgent(agent));
      return entity?.id === member.entity ? [[agent, member] as const] : [];
    });
    return { agents: new Map(living.flat()), revision };
  };

  return {
    idOf: async (call, name) => (await read(call, name)).id,
    async align(call) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const wanted = await known.read(call);
        await alignTo(call, wanted).catch(async (error: unknown) => {
          const living = await livingOf(call, wanted);
          if (living.agents.size === wanted.agents.size) throw error;
          await alignTo(call, living);
        });
        // Changed since we looked: we may have written an older state over a newer one, and put that right.
        if ((await known.read(call)).revision === wanted.revision) return;
      }
      throw unavailable('refused', {
        what: 'The groups in Vault could not be brought in line with the register.',
        why: 'Others change identities all the time.',
        fix: 'Try again when they are done: agov agent enroll NAME',
      });
    },
  };
}

export function notSetUp(what: string): AgovError {
  return new AgovError('NOT_FOUND', {
    what: `Vault does not have ${what}.`,
    why: 'Vault has not been set up for this project, or not for this prefix.',
    fix: 'Run: agov vault setup',
  });
}
