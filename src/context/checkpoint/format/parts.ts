/** What a checkpoint holds, part by part. A part that could not be had says why in place of its value. */
import { z } from 'zod';
import { nameSchema, phases, sha256Schema, tierSchema } from '../../../schemas/index.ts';

const text = z.string();
const path = z.string().max(4096);

export const causes = ['asked', 'stage-end', 'drain'] as const;
export type Cause = (typeof causes)[number];

export const aboutSchema = z.strictObject({
  v: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  /** The order in which they were taken, whatever clocks say. */
  seq: z.int().min(1),
  /** RFC 3339 UTC. */
  at: text,
  /** Whose it is: `project`, or `agent/NAME`. */
  space: text,
  by: z.union([z.strictObject({ operator: nameSchema }), z.strictObject({ agent: nameSchema, run: text })]),
  cause: z.enum(causes),
  tag: text.optional(),
  previous: text.optional(),
});

const fileSchema = z.strictObject({
  path,
  change: z.enum(['modified', 'added', 'deleted', 'renamed', 'untracked', 'conflicted']),
  from: path.optional(),
  bytes: z.int().min(0).optional(),
  /** Of the bytes as they were; left out where nobody read them. */
  sha256: sha256Schema.optional(),
  executable: z.literal(true).optional(),
  /** The content is where the link leads. */
  link: z.literal(true).optional(),
  /** Digest of the content that is kept; secrets are taken out of it. */
  content: sha256Schema.optional(),
  /** How many secrets were taken out: what is kept is not the file. */
  redacted: z.int().min(1).optional(),
  /** Why its content is not kept. */
  without: z.enum(['binary', 'large', 'unreadable', 'no room']).optional(),
  /** When it was changed last, in milliseconds since the epoch. */
  touched: z.int().optional(),
  added: z.int().min(0).optional(),
  removed: z.int().min(0).optional(),
});
export type FileInFlight = z.infer<typeof fileSchema>;

export const partSchemas = {
  notes: z.strictObject({ notes: text.optional(), next: z.array(text) }),
  git: z.strictObject({ commit: text.optional(), subject: text.optional(), branch: text.optional() }),
  files: z.strictObject({
    files: z.array(fileSchema),
    /** Files that were changed too, beyond what is listed. */
    more: z.int().min(0),
    diff: z.strictObject({ sha256: sha256Schema, bytes: z.int(), truncated: z.boolean() }).optional(),
  }),
  status: z.strictObject({
    directories: z.array(
      z.strictObject({
        path,
        phase: z.enum(phases).optional(),
        owner: text.optional(),
        updated: text.optional(),
        tasks: z.array(z.strictObject({ text, done: z.boolean() })),
        depends: z.array(text),
        /** Why it cannot be read. */
        fault: text.optional(),
      }),
    ),
    more: z.int().min(0),
  }),
  work: z.strictObject({
    runs: z.array(z.strictObject({ run: text, what: text, status: text, at: text, stages: z.array(text) })),
    approvals: z.array(z.strictObject({ id: text, agent: text, what: text, expiresAt: text })),
    /** The newest first. */
    failures: z.array(z.strictObject({ at: text, what: text, why: text, agent: text.optional(), entry: text })),
  }),
  agents: z.strictObject({
    agents: z.array(z.strictObject({ name: nameSchema, tier: tierSchema, status: text })),
    more: z.int().min(0),
  }),
  memory: z.strictObject({
    /** Logged since the checkpoint before, the newest first. */
    entries: z.array(
      z.strictObject({
        ...{ id: text, title: text, kind: text, space: text, at: text },
        ...{ bytes: z.int(), tags: z.array(text), summary: text },
      }),
    ),
    more: z.boolean(),
    /** The newest entry there was. */
    newest: text.optional(),
  }),
  ledger: z.strictObject({ size: z.int(), root: text, note: text }),
  environment: z.strictObject({ system: text, tools: z.record(z.string(), text) }),
} as const;

export const partNames = Object.keys(partSchemas) as readonly PartName[]; // its own keys
export type PartName = keyof typeof partSchemas;
export type About = z.infer<typeof aboutSchema>;
export type PartValue<N extends PartName> = z.infer<(typeof partSchemas)[N]>;
export type Parts = { readonly [N in PartName]: Part<PartValue<N>> };
export type Part<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export interface Checkpoint {
  readonly about: About;
  readonly parts: Parts;
}
