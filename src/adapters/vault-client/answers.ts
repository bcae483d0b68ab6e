/** The shapes of Vault's answers, as far as they are used. Vault adds members between versions, so extra ones are let in. */
import { z } from 'zod';

const text = z.string();
const seconds = z.number().min(0);

export const refusalAnswer = z.object({ errors: z.array(text) });

export const healthAnswer = z.object({
  initialized: z.boolean(),
  sealed: z.boolean(),
  standby: z.boolean(),
  version: text.optional(),
  server_time_utc: z.number().optional(),
});

const auth = z.object({
  client_token: text.min(1),
  accessor: text,
  lease_duration: seconds,
  renewable: z.boolean(),
  token_type: text,
});

/** A login, a token made, a token renewed. */
export const authAnswer = z.object({ auth });

export const lookupAnswer = z.object({
  data: z.object({ ttl: seconds, renewable: z.boolean().default(false), type: text.default('service') }),
});

export const capabilitiesAnswer = z.object({ data: z.record(text, z.array(text)) });

export const mountAnswer = z.object({
  data: z.object({ type: text, options: z.record(text, text).nullable().default(null) }),
});

export const keysAnswer = z.object({ data: z.object({ keys: z.array(text) }) });

const time = text.transform((written, context) => {
  const ms = Date.parse(written);
  if (!Number.isNaN(ms)) return ms;
  context.addIssue('must be a time');
  return z.NEVER;
});
const versionState = { deletion_time: text, destroyed: z.boolean(), created_time: time };

export const writtenAnswer = z.object({ data: z.object({ version: z.int().min(1), created_time: time }) });

export const valueAnswer = z.object({
  data: z.object({
    data: z.record(text, z.unknown()).nullable(),
    metadata: z.object({ version: z.int().min(1), ...versionState }),
  }),
});

export const metadataAnswer = z.object({
  data: z.object({
    current_version: z.int().min(0),
    versions: z.record(text, z.object(versionState)).nullable().default({}),
  }),
});

/** What an engine made: it ends with its lease, where it has one. */
export const leasedAnswer = z.object({
  lease_id: text,
  renewable: z.boolean(),
  lease_duration: seconds,
  data: z.record(text, z.unknown()),
});

export const renewedAnswer = z.object({ lease_id: text, renewable: z.boolean(), lease_duration: seconds });
