/** What an agent was handed when another started it: it stands in the entry by which it came to be, and only shrinks. */
import { z } from 'zod';
import { nameSchema } from '../../schemas/index.ts';

/** A path, or all that lies in a folder: `dev/db`, `dev/*`. */
export const secretPattern = z
  .string()
  .regex(/^[A-Za-z0-9_-][\w.-]*(?:\/[A-Za-z0-9_-][\w.-]*)*(?:\/\*)?$/, 'write a path, or a folder as folder/*')
  .max(200);

export const handedSchema = z.strictObject({
  /** Who started it: it never has more than that one, and ends with it. */
  parent: nameSchema,
  /** The run that it works in, and the open intent that tells what came of it. */
  run: z.string(),
  intent: z.string(),
  /** RFC 3339; then it is over. */
  until: z.string(),
  secrets: z.array(secretPattern).max(100),
  /** What it spends from, below what its lead spends from. */
  budget: z.string().optional(),
  /** A label, never a name. */
  role: nameSchema.optional(),
  team: z.string().optional(),
  /** Those under one lead may write to each other. */
  peers: z.literal(true).optional(),
});
export type Handed = z.infer<typeof handedSchema>;

/** Whether all that `inner` means is meant by one of `outer`. */
export function isWithin(inner: string, outer: readonly string[]): boolean {
  return outer.some(
    (pattern) => pattern === inner || (pattern.endsWith('/*') && inner.startsWith(pattern.slice(0, -1))),
  );
}
