/** Small documents beside the register, each under a key of its own, so that any governor finds what another began. */
import type { z } from 'zod';
import { type Call, garbled, keysAnswer, shaped, type Vault, valueAnswer } from '../../../vault-client/index.ts';

export interface Records<T> {
  /** False when there is one already. */
  create(call: Call, key: string, record: T): Promise<boolean>;
  read(call: Call, key: string): Promise<{ readonly record: T; readonly revision: number } | undefined>;
  /** False when it was changed or dropped since `revision`. */
  update(call: Call, key: string, record: T, revision: number): Promise<boolean>;
  drop(call: Call, key: string): Promise<void>;
  keys(call: Call): Promise<readonly string[]>;
}

/** @param folder below the mount */
export function records<T extends Readonly<Record<string, string | number | boolean>>>(
  vault: Vault,
  mount: string,
  folder: string,
  schema: z.ZodType<T>,
): Records<T> {
  const dataAt = (key: string): string => `${mount}/data/${folder}/${key}`;
  const write = async (call: Call, key: string, data: T, cas: number): Promise<boolean> => {
    const body = { options: { cas }, data };
    return (await vault.send(call, { method: 'POST', path: dataAt(key), body }, 400)).status !== 400;
  };

  return {
    create: (call, key, record) => write(call, key, record, 0),
    update: write,
    async read(call, key) {
      const answer = await vault.send(call, { method: 'GET', path: dataAt(key) }, 404);
      if (answer.status === 404) return undefined;
      const { data, metadata } = shaped(dataAt(key), answer, valueAnswer).data;
      const record = schema.safeParse(data);
      if (!record.success) throw garbled(dataAt(key), 'The record is damaged.');
      return { record: record.data, revision: metadata.version };
    },
    async drop(call, key) {
      await vault.send(call, { method: 'DELETE', path: `${mount}/metadata/${folder}/${key}` }, 404);
    },
    async keys(call) {
      const path = `${mount}/metadata/${folder}/`;
      const answer = await vault.send(call, { method: 'LIST', path }, 404);
      return answer.status === 404 ? [] : shaped(path, answer, keysAnswer).data.keys;
    },
  };
}
