/** A job as it travels: all that a worker must know to do one attempt, and nothing secret (paths of secrets only). */
import { z } from 'zod';
import { jsonObjectSchema, nameSchema, runningStageSchema, type Stage, sha256Schema } from '../../../schemas/index.ts';
import { purseSchema } from '../../pipeline/index.ts';

/** Grows when a worker of the older one could misread a job. Workers take jobs of their own alone. */
export const jobFormat = 1;

/** An operator's word at the coordinator, which the worker puts on its own record before it acts. */
const consentSchema = z.strictObject({
  /** Of the approval's subject, as the worker asked it. */
  hash: sha256Schema,
  operator: nameSchema,
  user: z.string().max(256),
});
export type Consent = z.infer<typeof consentSchema>;

/** Which attempt, and the how-manieth question about it: by this a result is known to be the job's. */
const about = {
  run: z.string().min(1).max(128),
  key: z.string().min(1).max(128),
  attempt: z.int().min(1),
  /** The entry that started the attempt: no other attempt ever has it. */
  token: z.string().min(8).max(64),
  round: z.int().min(0).max(1000),
};
export type About = z.infer<z.ZodObject<typeof about>>;

export const jobSchema = z.strictObject({
  v: z.literal(jobFormat),
  /** Version of agov at the coordinator. */
  agov: z.string().max(64),
  ...about,
  /** Every `${{ … }}` filled in. */
  stage: jsonObjectSchema,
  /** Fencing tokens of the locks that the coordinator holds for it, by name. */
  locks: z.record(z.string(), z.int().min(1)),
  policyVersion: sha256Schema,
  /** Names the folder of artifacts: a worker on the same one need send nothing. */
  store: z.string().max(512),
  /** Milliseconds since the epoch: begun by nobody after. */
  until: z.int(),
  consents: z.array(consentSchema).max(100),
  /** What it spends from; a worker that does not know of budgets does not take the job. */
  purse: purseSchema.optional(),
});
export type Job = z.infer<typeof jobSchema>;

/** The stage of a job, or what of it this version does not understand. */
export function readStage(job: Job): Stage | { readonly misread: string } {
  const { data, error } = runningStageSchema.safeParse(job.stage);
  const issue = error?.issues[0];
  return data ?? { misread: issue ? `${issue.path.join('.')}: ${issue.message}` : 'it is malformed' };
}

/** The name of the claim. */
export function jobId({ token, round }: Pick<Job, 'token' | 'round'>): string {
  return `${token}.${round}`;
}

export const aboutSchema = z.strictObject(about);

export function aboutOf({ run, key, attempt, token, round }: About): About {
  return { run, key, attempt, token, round };
}
