/** Names and other small shapes that many parts share. */
import { z } from 'zod';

export const tierSchema = z
  .enum(['T0', 'T1', 'T2', 'T3', 'T4'])
  .meta({ id: 'Tier', description: 'T0 Observer to T4 Governor.' });
export type Tier = z.infer<typeof tierSchema>;
export const tiers = tierSchema.options;

/** 0 for T0 to 4 for T4. */
export function tierLevel(tier: Tier): number {
  return tiers.indexOf(tier);
}

/** Agent and operator names: they appear in paths, branches and ledgers, so they are narrow. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/,
    'use 1 to 64 of a-z 0-9 . _ - and begin and end with a letter or digit',
  )
  .refine((name) => !name.includes('..'), 'must not hold two dots in a row');

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');

export const actions = [
  'fs.read',
  'fs.write',
  'fs.delete',
  'process.exec',
  'net.request',
  'secret.read',
  'secret.write',
  'state.read',
  'state.write',
  'tool.call',
  'model.call',
  'infra.plan',
  'infra.apply',
  'infra.destroy',
  'repo.commit',
  'repo.push',
  'repo.merge',
  'repo.discard',
  'agent.spawn',
  'agent.message',
  'memory.read',
  'memory.write',
  'pipeline.run',
  'governance.tiers',
  'governance.policy',
  'governance.trust',
  'governance.agent',
] as const;

export const actionSchema = z.enum(actions);
export type Action = z.infer<typeof actionSchema>;

/** Environment variables by which the system finds another program, or loads other code, than is written. */
export function steersPrograms(variable: string): boolean {
  return variable === 'PATH' || variable.startsWith('LD_');
}
