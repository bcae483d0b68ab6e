/** The records of the registry as every adapter accepts them, so that no store holds what another would refuse. */
import { z } from 'zod';
import { nameSchema, tierSchema } from '../../schemas/index.ts';
import { invalid, isPrintable } from './bounds.ts';
import type { AgentRecord, LiveRun, StoppedRun } from './port.ts';

const instant = z.int().min(0);
const line = z.string().min(1).max(512).refine(isPrintable, 'must hold printable characters only');

export const agentSchema = z.strictObject({
  name: nameSchema,
  tier: tierSchema,
  status: z.enum(['active', 'frozen', 'retired', 'revoked']),
  operator: line,
  createdAt: instant,
  changedAt: instant,
  reason: z.string().max(4096).optional(),
  parent: nameSchema.optional(),
});

export const runSchema = z.strictObject({
  intent: line,
  run: line,
  agent: line,
  host: line,
  governorPid: z.int().min(1),
  processGroup: z.int().min(1),
  processStart: line,
  sandbox: z.enum(['bubblewrap', 'none']),
  startedAt: instant,
  beatAt: instant,
});

export const stoppedSchema = z.strictObject({ run: line, reason: z.string().max(4096) });

/** @throws AgovError INPUT_INVALID */
export function acceptAgent(agent: AgentRecord): z.infer<typeof agentSchema> {
  return accept(agentSchema, agent, 'agent record');
}

/** @throws AgovError INPUT_INVALID */
export function acceptRun(run: LiveRun): z.infer<typeof runSchema> {
  return accept(runSchema, run, 'live run');
}

/** @throws AgovError INPUT_INVALID */
export function acceptStopped(stopped: StoppedRun): z.infer<typeof stoppedSchema> {
  return accept(stoppedSchema, stopped, 'stopped run');
}

function accept<T>(schema: z.ZodType<T>, value: unknown, subject: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(`The ${subject} is malformed.`, `Correct "${issue?.path.join('.')}": ${issue?.message}.`);
}
