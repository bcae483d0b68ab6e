/**
 * Which tier each identity belongs to, as one document with check-and-set. Vault's groups have none: two that change one
 * at once would undo each other, and bring a demoted agent back. So groups are made after this document, never by it.
 */
import { z } from 'zod';
import { AgovError, canonicalJson } from '../../../../kernel/index.ts';
import { type Tier, tierSchema } from '../../../../schemas/index.ts';
import { type Call, garbled, shaped, type Vault, valueAnswer } from '../../../vault-client/index.ts';

const memberSchema = z.strictObject({
  /** Of its entity in Vault; empty while that is made anew. */
  entity: z.string(),
  tier: tierSchema,
  /** It has been of another tier, so tokens of another mount may be its. */
  moved: z.boolean(),
  /** The project that enrolled it. */
  project: z.string(),
});
export type Member = z.infer<typeof memberSchema>;

const registerSchema = z.strictObject({ agents: z.record(z.string(), memberSchema) });

export interface Snapshot {
  readonly agents: ReadonlyMap<string, Member>;
  /** Grows by one at each change; 0 before the first. */
  readonly revision: number;
}

export interface Register {
  read(call: Call): Promise<Snapshot>;
  get(call: Call, agent: string): Promise<Member | undefined>;
  put(call: Call, agent: string, member: Member): Promise<void>;
}

const attempts = 20;

/** @param at the path of the document, below the mount */
export function register(vault: Vault, mount: string, at: string): Register {
  const path = `${mount}/data/${at}`;

  const read = async (call: Call): Promise<Snapshot> => {
    const answer = await vault.send(call, { method: 'GET', path }, 404);
    if (answer.status === 404) return { agents: new Map(), revision: 0 };
    const { data, metadata } = shaped(path, answer, valueAnswer).data;
    const found = registerSchema.safeParse(data);
    if (!found.success) throw garbled(path, 'The register of identities is damaged.');
    return { agents: new Map(Object.entries(found.data.agents)), revision: metadata.version };
  };

  const write = async (call: Call, agents: ReadonlyMap<string, Member>, cas: number): Promise<boolean> => {
    const body = { options: { cas }, data: { agents: Object.fromEntries(agents) } };
    return (await vault.send(call, { method: 'POST', path, body }, 400)).status !== 400;
  };

  return {
    read,
    get: async (call, agent) => (await read(call)).agents.get(agent),
    async put(call, agent, member) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const { agents, revision } = await read(call);
        if (isSame(agents.get(agent), member)) return;
        if (await write(call, new Map(agents).set(agent, member), revision)) return;
      }
      throw new AgovError('CONFLICT', {
        what: 'Others change identities in Vault all the time.',
        fix: 'Try again when they are done.',
      });
    },
  };
}

export function entitiesOf({ agents }: Snapshot, tier: Tier): readonly string[] {
  const members = [...agents.values()].filter((member) => member.tier === tier && member.entity !== '');
  return members.map(({ entity }) => entity);
}

function isSame(a: Member | undefined, b: Member): boolean {
  return a !== undefined && canonicalJson(a) === canonicalJson(b);
}
