/** What each shipped agent takes. Checked by the governor before it starts, so that its own code can trust it. */
import { z } from 'zod';
import { sha256Schema } from '../../../schemas/index.ts';

const path = z
  .string()
  .min(1)
  .max(1024)
  .refine((given) => !(given.startsWith('/') || given.split('/').includes('..') || /[\0\n]/.test(given)), {
    error: 'must be a path inside the project',
  });
const paths = z.array(path).max(1000);
const argv = z.array(z.string().max(32_768)).min(1).max(1000);
const commands = z.array(argv).max(50).default([]);
/** What git would take for an option or a revision is no branch. */
const branch = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/, 'must be the name of a branch')
  .refine((name) => !/\.\.|\/\/|\/$|\.lock$/.test(name), 'must be the name of a branch');
const minutes = z.int().min(1).max(60).default(15);

export const observerInput = z.strictObject({
  parts: z
    .array(z.enum(['inventory', 'secrets', 'drift']))
    .min(1)
    .default(['inventory', 'secrets', 'drift'])
    .describe('What to look at.'),
  history: z
    .int()
    .min(0)
    .max(10_000)
    .default(200)
    .describe('How many of the last commits to look through for secrets.'),
  ignore: paths.default([]).describe('Files and folders whose secrets are meant to be there.'),
  known: z
    .array(z.string().regex(/^[0-9a-f]{8}$/, 'must be a digest as reports have it'))
    .max(1000)
    .default([])
    .describe('Digests of what is known to be no secret.'),
  upstream: branch.optional().describe('The branch to compare with; the one that git follows when left out.'),
  plans: paths.default([]).describe('Plans as JSON, as "terraform show -json" prints them.'),
});
export type ObserverInput = z.output<typeof observerInput>;

export const executorInput = z.strictObject({
  branch: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,60}$/, 'must be a word for the work, as in fix-login')
    .optional()
    .describe('Name of the work; from the task when left out. The branch is agov/<agent>/<name>.'),
  from: branch.optional().describe('Branch to start from; the one that is checked out when left out.'),
  patch: z.string().min(1).max(500_000).optional().describe('A unified diff.'),
  patchFile: path.optional().describe('A file that holds one.'),
  commands: commands.describe('Programs with arguments that make the change, or go on from the patch.'),
  tests: commands.describe('Programs with arguments that must end with 0, each without network and without rights.'),
  message: z.string().min(1).max(4000).optional().describe('Of the commit; from the task when left out.'),
  plan: z.boolean().default(true).describe('Whether to plan the infrastructure that the change touches.'),
  read: paths.max(50).default([]).describe('Files that a model is shown when it is asked for a patch.'),
  attempts: z.int().min(1).max(5).default(2).describe('How many patches a model may propose.'),
  minutes: minutes.describe('How long one command or test may take.'),
});
export type ExecutorInput = z.output<typeof executorInput>;

const rulesSchema = z
  .strictObject({
    files: z.int().min(0).default(50).describe('Files that a branch may change.'),
    lines: z.int().min(0).default(2000).describe('Lines that it may add and remove.'),
    paths: paths.min(1).optional().describe('Folders and files that it may touch, and no other.'),
    closed: paths.default([]).describe('Folders and files that it may not touch.'),
    secrets: z.boolean().default(false).describe('Whether it may add what looks like a secret.'),
    changes: z.int().min(0).default(20).describe('Resources that a plan may create and change.'),
    destroys: z.int().min(0).default(0).describe('Resources that a plan may destroy.'),
    environments: z.array(z.string()).default(['dev', 'staging']).describe('Where plans may be applied.'),
  })
  .prefault({});
export type AdminRules = z.output<typeof rulesSchema>;

export const adminInput = z.strictObject({
  do: z
    .array(z.enum(['review', 'merge', 'apply', 'clean']))
    .min(1)
    .max(4)
    .default(['review'])
    .describe('In this order. What is merged or applied is reviewed in any case.'),
  branch: branch.optional().describe('The branch to review and merge.'),
  into: branch.default('main').describe('The branch that gets the merge.'),
  tests: commands.describe('Programs with arguments that must end with 0 on the branch.'),
  rules: rulesSchema.describe('What is refused without asking anybody.'),
  plan: z
    .strictObject({ dir: path, sha256: sha256Schema.optional() })
    .optional()
    .describe('What to apply: a plan by its digest, or one that is made of this folder.'),
  olderThan: z.int().min(1).max(3650).optional().describe('Days: clean up also what was begun and left before that.'),
  unmerged: z.boolean().default(false).describe('Of these also what is merged nowhere.'),
  minutes: minutes.describe('How long one test may take.'),
});
export type AdminInput = z.output<typeof adminInput>;
