/**
 * What a plan would do, read from `terraform show -json`. That output holds sensitive values in clear, so only addresses,
 * types and actions are taken from it, and it goes no further.
 */
import { z } from 'zod';
import { AgovError } from '../../../kernel/index.ts';
import { demand } from '../exec-result.ts';
import type { ToolExec } from '../port.ts';
import { runTerraform } from './command.ts';

const actionSchema = z.enum(['no-op', 'create', 'read', 'update', 'delete', 'forget']);

const planSchema = z.object({
  // Terraform promises that minor versions only add.
  format_version: z.string().regex(/^1\./),
  terraform_version: z.string().max(100),
  errored: z.boolean().default(false),
  planned_values: z
    .object({ root_module: z.object({ resources: z.unknown(), child_modules: z.unknown() }).partial().default({}) })
    .default({ root_module: {} }),
  resource_changes: z
    .array(
      z.object({
        address: z.string().max(4096),
        type: z.string().max(256),
        change: z.object({ actions: z.array(actionSchema).min(1).max(2), importing: z.unknown().optional() }),
      }),
    )
    .default([]),
});

export interface PlannedChange {
  readonly address: string;
  readonly type: string;
  readonly actions: readonly z.infer<typeof actionSchema>[];
}

export interface PlanContent {
  readonly terraformVersion: string;
  readonly creates: number;
  /** Updates, imports, and resources that terraform is to forget without destroying them. */
  readonly changes: number;
  /** A replacement is one create and one destroy. */
  readonly destroys: number;
  /** Whether it destroys and leaves no resource standing. */
  readonly empties: boolean;
  readonly list: readonly PlannedChange[];
}

export interface PlanFile {
  /** Absolute, in the scratch folder. */
  readonly file: string;
  readonly scratch: string;
}

/** @throws INPUT_INVALID for what is not a plan of this folder, TOOL_FAILED for what cannot be counted */
export async function readPlan(exec: ToolExec, dir: string, { file, scratch }: PlanFile): Promise<PlanContent> {
  const exit = demand(
    await runTerraform(exec, dir, ['show', '-json', '-no-color', file], { access: 'read', readOnly: [scratch] }),
    'Terraform cannot read the plan.',
    'Make a new one: terraform.plan.',
  );
  const parsed = planSchema.safeParse(parseJson(exit.stdout));
  if (!parsed.success) throw unreadable(z.prettifyError(parsed.error).slice(0, 300));
  if (parsed.data.errored) throw unreadable('It is the plan of a run that failed.');
  return count(parsed.data);
}

function count(plan: z.infer<typeof planSchema>): PlanContent {
  const list = plan.resource_changes
    .map(({ address, type, change }) => ({
      address,
      type,
      actions: change.actions,
      imported: change.importing !== undefined && change.importing !== null,
    }))
    .filter(({ actions, imported }) => imported || actions.some((action) => action !== 'no-op' && action !== 'read'));
  const having = (action: PlannedChange['actions'][number]): number =>
    list.filter(({ actions }) => actions.includes(action)).length;
  const onlyImported = list.filter(({ actions, imported }) => imported && actions.includes('no-op')).length;
  const { resources, child_modules: modules } = plan.planned_values.root_module;
  const destroys = having('delete');
  return {
    terraformVersion: plan.terraform_version,
    creates: having('create'),
    changes: having('update') + having('forget') + onlyImported,
    destroys,
    empties: destroys > 0 && isNothing(resources) && isNothing(modules),
    list: list.map(({ address, type, actions }) => ({ address, type, actions })),
  };
}

function isNothing(list: unknown): boolean {
  return list === undefined || (Array.isArray(list) && list.length === 0);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable('It is not JSON.', error);
  }
}

function unreadable(why: string, cause?: unknown): AgovError {
  return new AgovError('TOOL_FAILED', {
    what: 'What the plan would do cannot be told, so it cannot be applied.',
    why,
    fix: 'Use a Terraform whose plans have format 1.x, and make a new plan.',
    cause,
  });
}
