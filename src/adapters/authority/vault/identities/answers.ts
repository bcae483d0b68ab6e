/** The shapes of Vault's answers about identities, as far as they are used. */
import { z } from 'zod';

const text = z.string();
const texts = z
  .array(text)
  .nullish()
  .transform((list) => list ?? []);

const alias = z.object({ id: text, name: text, mount_accessor: text });

export const entityAnswer = z.object({
  data: z.object({
    id: text.min(1),
    disabled: z.boolean(),
    policies: texts,
    group_ids: texts,
    metadata: z
      .record(text, text)
      .nullish()
      .transform((found) => found ?? {}),
    aliases: z
      .array(alias)
      .nullish()
      .transform((found) => found ?? []),
  }),
});
export type Entity = z.infer<typeof entityAnswer>['data'];

export const groupAnswer = z.object({ data: z.object({ id: text.min(1), member_entity_ids: texts }) });

export const roleIdAnswer = z.object({ data: z.object({ role_id: text.min(1) }) });

/** By path with a slash at its end. */
export const authMountsAnswer = z.object({ data: z.record(text, z.object({ accessor: text, type: text })) });

export const wrappedAnswer = z.object({
  wrap_info: z.object({ token: text.min(1), ttl: z.number().min(0), creation_path: text }),
});

export const wrappingAnswer = z.object({ data: z.object({ creation_path: text }) });

export const secretIdAnswer = z.object({ data: z.object({ secret_id: text.min(1) }) });

export const loginAnswer = z.object({
  auth: z.object({
    client_token: text.min(1),
    accessor: text.min(1),
    lease_duration: z.number().min(0),
    token_type: text,
    entity_id: text,
    token_policies: texts,
    identity_policies: texts,
  }),
});
