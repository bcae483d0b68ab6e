/**
 * What is known of each lease, kept in the same mount beside the secrets, so that every governor sees and ends the leases
 * of all. No value is in it; the accessor in it ends a token and cannot be used as one.
 */
import { z } from 'zod';
import { type Call, garbled, keysAnswer, shaped, type Vault, valueAnswer } from '../../../vault-client/index.ts';

const recordSchema = z.strictObject({
  path: z.string(),
  version: z.int().min(1),
  intent: z.string(),
  issuedAt: z.int(),
  expiresAt: z.int(),
  /** Of the token that the value was read with. */
  accessor: z.string(),
  /** Vault's own lease below that token, where an engine made the value. */
  leaseId: z.string().optional(),
  renewable: z.boolean().default(false),
  /** Why it could not be ended when it should have been. */
  failure: z.string().optional(),
});
export type LeaseRecord = z.infer<typeof recordSchema>;

export interface Records {
  create(call: Call, id: string, record: LeaseRecord): Promise<void>;
  read(call: Call, id: string): Promise<{ readonly record: LeaseRecord; readonly revision: number } | undefined>;
  /** False when it was changed or dropped since `revision`. */
  update(call: Call, id: string, record: LeaseRecord, revision: number): Promise<boolean>;
  drop(call: Call, id: string): Promise<void>;
  ids(call: Call): Promise<readonly string[]>;
}

/** No secret's path holds a tilde. */
const folder = '~leases';
const idPattern = /^[0-9a-f]{8}-[0-9a-f-]{27}-[0-9a-f]{32}$/;

export function records(vault: Vault, mount: string): Records {
  const dataAt = (id: string): string => `${mount}/data/${folder}/${id}`;
  const write = async (call: Call, id: string, record: LeaseRecord, cas: number): Promise<boolean> => {
    const body = { options: { cas }, data: record };
    return (await vault.send(call, { method: 'POST', path: dataAt(id), body }, 400)).status !== 400;
  };

  return {
    async create(call, id, record) {
      if (!(await write(call, id, record, 0))) throw garbled(dataAt(id), 'It refused the record of a new lease.');
    },
    async read(call, id) {
      if (!idPattern.test(id)) return undefined;
      const answer = await vault.send(call, { method: 'GET', path: dataAt(id) }, 404);
      if (answer.status === 404) return undefined;
      const { data, metadata } = shaped(dataAt(id), answer, valueAnswer).data;
      const record = recordSchema.safeParse(data);
      if (!record.success) throw garbled(dataAt(id), 'The record of a lease is damaged.');
      return { record: record.data, revision: metadata.version };
    },
    update: (call, id, record, revision) => write(call, id, record, revision),
    async drop(call, id) {
      await vault.send(call, { method: 'DELETE', path: `${mount}/metadata/${folder}/${id}` }, 404);
    },
    async ids(call) {
      const path = `${mount}/metadata/${folder}/`;
      const answer = await vault.send(call, { method: 'LIST', path }, 404);
      if (answer.status === 404) return [];
      return shaped(path, answer, keysAnswer).data.keys.filter((id) => idPattern.test(id));
    },
  };
}
