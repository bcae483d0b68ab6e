/** The ledger's entry: canonical JSON of at most 65,535 bytes (C2SP tlog-tiles gives an entry a 16-bit length). */
import { z } from 'zod';
import { jsonObjectSchema } from '../json.ts';
import { nameSchema, sha256Schema, tierSchema } from '../names.ts';

export const maxEntryBytes = 65_535;

export const entryKinds = [
  'policy', // a policy set came into force
  'agent', // an operator added an agent, or changed its tier or its status
  'run', // a run started or ended
  'stage', // a pipeline stage started or ended
  'intent', // what was asked and what was decided
  'outcome', // what came of an allowed intent
  'violation', // an effect without an intent, or an attempt to get out
  'approval', // asked, given, denied or used
  'secret', // stored, removed, leased or ended; never a value
  'kill', // a revocation's steps and how long each took
  'job', // an attempt given to a worker, begun by one, or lost with it
  'authority', // a change in Vault: its set-up, drift that was mended, an agent's identity; never a credential
  'budget', // one was opened, with its limits; what is spent of it is told by intents and outcomes
  'checkpoint', // one was taken: its digest; or removed, or its files put back
  'memory', // an entry of the memory was forgotten: its hash, who and why; never its content
] as const;

export const entryKindSchema = z.enum(entryKinds);
export type EntryKind = z.infer<typeof entryKindSchema>;

export const artifactRefSchema = z.strictObject({
  name: z.string().min(1).max(255),
  sha256: sha256Schema,
  size: z.int().min(0),
});
export type ArtifactRef = z.infer<typeof artifactRefSchema>;

export const entrySchema = z.strictObject({
  v: z.literal(1),
  seq: z.int().min(0),
  /** RFC 3339 UTC with milliseconds. */
  at: z.string(),
  id: z.string(),
  parent: z.string().optional(),
  kind: entryKindSchema,
  run: z.string().optional(),
  agent: nameSchema.optional(),
  tier: tierSchema.optional(),
  body: jsonObjectSchema,
  artifacts: z.array(artifactRefSchema).optional(),
});
export type Entry = z.infer<typeof entrySchema>;

/** What a caller supplies; `v`, `seq` and `at` are the ledger's own, and `id` too unless it is given. */
export type EntryDraft = Omit<Entry, 'v' | 'seq' | 'at' | 'id'> & {
  readonly id?: string;
  /** A text that the ledger accepts once for ever: a second append with the same claim fails with LEDGER_CLAIMED. */
  readonly claim?: string;
  /** Puts this entry's id among the open ones, until an entry closes it. */
  readonly opens?: boolean;
  /** Closes an open entry, in the same transaction. Fails with LEDGER_CLAIMED when that id is not open. */
  readonly closes?: string;
  /** Ids of entries that this one rests on and that may still be on their way: fails with CONFLICT unless all got there. */
  readonly after?: readonly string[];
};
