/** `tiers.yaml` as a shape: what each tier adds to those below it, and the invariants that no declaration may break. */
import { z } from 'zod';
import { durationPattern } from '../../kernel/index.ts';
import {
  type Action,
  actionSchema,
  type Fault,
  type Tier,
  tierSchema,
  tiers,
  type YamlFile,
} from '../../schemas/index.ts';

const listed = z.literal('listed');
const text = z
  .string()
  .regex(/^[\x20-\x7e]+$/, 'use printable ASCII')
  .max(200);

const whereSchema = z
  .strictObject({
    workspace: z.literal(true),
    own: z.literal(true),
    tools: listed,
    hosts: listed,
    secrets: listed,
    branch: z.enum(['own', 'unprotected']),
    environments: z.array(z.string().regex(/^[a-z0-9][a-z0-9._-]*$/)).min(1),
    plan: z.literal('approved'),
    destroys: z.boolean(),
    target: tierSchema,
  })
  .partial();
export type Where = z.infer<typeof whereSchema>;

/** Which actions a condition can be about: elsewhere the fact it reads does not exist. */
const appliesTo: { readonly [Key in keyof Required<Where>]: readonly Action[] } = {
  workspace: ['fs.read', 'fs.write', 'fs.delete'],
  own: ['state.read', 'state.write', 'memory.read', 'memory.write'],
  tools: ['process.exec', 'tool.call'],
  hosts: ['net.request'],
  secrets: ['secret.read', 'secret.write'],
  branch: ['repo.commit', 'repo.push', 'repo.discard'],
  environments: ['infra.plan', 'infra.apply', 'infra.destroy'],
  plan: ['infra.apply'],
  destroys: ['infra.apply'],
  target: ['agent.spawn', 'pipeline.run'],
};

const grant = z.strictObject({
  actions: z.array(actionSchema).min(1),
  where: whereSchema.default({}),
  /** What the grant says, after "may": it is shown to people. */
  means: text,
});
const approvedGrant = grant.extend({ approvals: z.int().min(1).max(3) });

export const toolSchema = z
  .string()
  .regex(
    /^(?:\*|[A-Za-z0-9][\w.+@-]*\*?|(?:\/[\w.+@-]+)+(?:\/\*)?)$/,
    'write *, a name, an absolute path, or a folder as /folder/*',
  )
  .max(200);
export const hostSchema = z
  .string()
  .toLowerCase()
  .regex(
    /^(?:\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/,
    'write host, host:port or *.domain, without a scheme or a path',
  )
  .max(260);
const secretGlob = z
  .string()
  .regex(/^[A-Za-z0-9_-][\w.-]*(?:\/[A-Za-z0-9_-][\w.-]*)*(?:\/\*)?$/, 'write a path, or a folder as folder/*')
  .max(200);
const vaultPath = z.string().regex(/^[\w-]+(?:\/[\w-]+)*$/, 'write a path without wildcards');

const tierSpec = z.strictObject({
  name: z.string().regex(/^[A-Z][a-z]+$/),
  alone: z.array(grant).default([]),
  approved: z.array(approvedGrant).default([]),
  sandbox: z.strictObject({
    access: z.enum(['none', 'read-only', 'read-write', 'per-action']),
    network: z.enum(['none', 'listed', 'per-action']),
  }),
  tools: z.array(toolSchema).default([]),
  hosts: z.array(hostSchema).default([]),
  secrets: z
    .strictObject({
      names: z.array(secretGlob).default([]),
      read: z.array(secretGlob).default([]),
      write: z.array(secretGlob).default([]),
    })
    .prefault({}),
  lease: z.string().regex(durationPattern, 'write a whole number and a unit: 30s, 15m, 2h'),
  vault: z.record(vaultPath, z.array(z.enum(['create', 'read', 'update', 'delete', 'list'])).min(1)).default({}),
});
export type TierSpec = z.infer<typeof tierSpec>;

export const declarationSchema = z.strictObject({
  version: z.literal(1),
  tiers: z.strictObject({ T0: tierSpec, T1: tierSpec, T2: tierSpec, T3: tierSpec, T4: tierSpec }),
});
export type Declaration = z.infer<typeof declarationSchema>;

/** One thing that a tier, and those above it up to T3, may do. */
export interface Grant {
  readonly tier: Tier;
  readonly action: Action;
  readonly where: Where;
  /** Distinct operators that must have approved; 0 where the tier acts alone. */
  readonly approvals: number;
  readonly means: string;
}

/** Every grant as written, from T0 to T4. */
export function grantsOf(declaration: Declaration): Grant[] {
  return tiers.flatMap((tier) => {
    const { alone, approved } = declaration.tiers[tier];
    return [...alone.map((g) => ({ ...g, approvals: 0 })), ...approved].flatMap(
      ({ actions, where, approvals, means }) => actions.map((action) => ({ tier, action, where, approvals, means })),
    );
  });
}

/** What the shape cannot say. T4 that acts alone, or a tier below it that governs, would undo everything else. */
export function invariantFaults({ value, fault }: YamlFile<Declaration>): Fault[] {
  const faults: Fault[] = [];
  for (const tier of tiers) {
    for (const list of ['alone', 'approved'] as const) {
      value.tiers[tier][list].forEach(({ actions, where }, i) => {
        const path = ['tiers', tier, list, i];
        actions.forEach((action, j) => {
          const governs = action.startsWith('governance.');
          const at = [...path, 'actions', j];
          if (governs && tier !== 'T4') faults.push(fault(at, `Only T4 may have ${action}.`));
          if (!governs && tier === 'T4') faults.push(fault(at, 'T4 may have nothing but governance.*.'));
          if (governs && list === 'alone') faults.push(fault(at, 'Every act of T4 needs an approval.'));
        });
        for (const [key, about] of Object.entries(appliesTo)) {
          const stray = key in where ? actions.find((action) => !about.includes(action)) : undefined;
          if (stray) faults.push(fault([...path, 'where', key], `"${key}" says nothing about ${stray}.`));
        }
      });
    }
  }
  return faults;
}
