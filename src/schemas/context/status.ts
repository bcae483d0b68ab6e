/** The front matter of a `STATUS.md`, which people and other tools write too, and what `agov.yaml` says of such files. */
import { z } from 'zod';
import { durationPattern } from '../../kernel/index.ts';

export const phases = ['not-started', 'in-progress', 'blocked', 'review', 'complete'] as const;
export type Phase = (typeof phases)[number];

const day = String.raw`\d{4}-\d{2}-\d{2}`;
const timePattern = new RegExp(String.raw`^${day}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2}))?$`);

/** A day, or a time with its zone: a time without one is another moment for each reader. */
const timeSchema = z
  .string()
  .regex(timePattern, 'write 2026-01-31 or 2026-01-31T12:00:00Z')
  .refine((text) => !timePattern.test(text) || !Number.isNaN(Date.parse(text.replace(' ', 'T'))), 'is no date');

const taskText = z.string().min(1).max(2000);
const taskSchema = z.union([
  taskText,
  z.looseObject({
    task: taskText,
    done: z.union([z.boolean(), timeSchema]).default(false).describe('`true`, or when it was done.'),
  }),
]);

/** Keys that are not known here are others’, and kept. */
export const statusSchema = z.looseObject({
  phase: z.enum(phases).describe('Where the work in this directory stands.'),
  owner: z.string().min(1).max(200).nullish().describe('Who answers for it.'),
  updated: timeSchema.nullish().describe('When somebody last said how it stands.'),
  tasks: z
    .array(taskSchema)
    .max(1000)
    .nullish()
    .describe('What is to do: a text, or `{task: …, done: true}` once it is done.'),
  depends: z
    .array(z.string().min(1).max(1024))
    .max(200)
    .nullish()
    .describe(
      'Directories that this one waits for: from the project’s root, or from here if they begin with `./` or `../`.',
    ),
  track: z
    .union([z.boolean(), z.int().min(0).max(64)])
    .nullish()
    .describe(
      'For how many levels of directories below each should have a `STATUS.md` as well; `true` is all of them.',
    ),
});

export const statusConfigSchema = z.strictObject({
  ignore: z
    .array(z.string().min(1).max(1024))
    .max(1000)
    .default(['node_modules/'])
    .describe(
      'Directories that statuses are not looked for in, as lines of a `.gitignore`, besides what `.gitignore` says.',
    ),
  track: z
    .record(z.string().min(1).max(1024), z.union([z.boolean(), z.int().min(0).max(64)]))
    .default({})
    .describe(
      'Directories below which each should have a `STATUS.md`, and for how many levels (`services: 1`; `true` is all), where their own `STATUS.md` does not say.',
    ),
  quiet: z
    .string()
    .regex(durationPattern, 'write a whole number and a unit: 500ms, 30s, 15m, 2h, 7d')
    .default('14d')
    .describe('How long work may be in progress with nothing said of it before the dashboard calls it stuck.'),
});
