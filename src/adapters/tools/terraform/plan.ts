/** `terraform.plan`: what would change, counted; the plan file is kept by hash, and only that hash can be applied. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalHash, sha256Hex } from '../../../kernel/index.ts';
import { jsonSchema } from '../../../schemas/index.ts';
import { defineTool } from '../define.ts';
import { failed } from '../exec-result.ts';
import { pathSchema } from '../paths.ts';
import type { ToolContext, ToolExec, ToolExit, ToolResult } from '../port.ts';
import { firstError, runTerraform, terraformNeed, terraformVersion } from './command.ts';
import { type Place, placeOf } from './place.ts';
import { type PlanContent, readPlan } from './plan-content.ts';
import { takeFile } from './scratch-file.ts';

const shownChanges = 20;

interface Request {
  readonly place: Place;
  readonly destroy: boolean;
  readonly vars: Readonly<Record<string, unknown>> | undefined;
}

export const terraformPlan = defineTool({
  name: 'terraform.plan',
  summary: 'Plans a change to infrastructure.',
  needs: [terraformNeed],
  args: z.strictObject({
    dir: pathSchema.describe('Folder of .tf files, relative to the workspace.'),
    destroy: z.boolean().default(false).describe('Plan to destroy everything that is there.'),
    vars: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,99}$/), jsonSchema)
      .refine((vars) => Buffer.byteLength(JSON.stringify(vars)) <= 65_536, 'must be at most 65536 bytes')
      .optional()
      .describe('Input variables. The record keeps their names and a digest of their values.'),
  }),
  async prepare({ dir, destroy, vars }, context, exec) {
    const place = await placeOf(context, dir);
    await terraformVersion(exec, place.path);
    const about = vars ? { vars: Object.keys(vars).sort(), varsSha256: canonicalHash(vars) } : {};
    return {
      intent: {
        action: 'infra.plan',
        resource: place.environment,
        args: { dir: place.dir, environment: place.environment, destroy, ...about },
      },
      facts: {},
      perform: (run) => makePlan(context, run, { place, destroy, vars }),
    };
  },
});

async function makePlan(context: ToolContext, exec: ToolExec, { place, destroy, vars }: Request): Promise<ToolResult> {
  const { scratch } = context;
  const file = join(scratch, 'plan.tfplan');
  const varFile = join(scratch, 'vars.tfvars.json');
  if (vars) await writeFile(varFile, JSON.stringify(vars), { flag: 'wx', mode: 0o600 });
  const flags = [...(destroy ? ['-destroy'] : []), ...(vars ? [`-var-file=${varFile}`] : [])];
  const args = ['plan', '-input=false', '-no-color', ...flags, `-out=${file}`];
  const exit = await initialised(context, exec, place, () =>
    runTerraform(exec, place.path, args, { access: 'write', readWrite: [scratch, place.path] }),
  );
  const where = { dir: place.dir, environment: place.environment };
  if (exit.code !== 0) return failed(firstError(exit), where);

  const bytes = await takeFile(file);
  const content = await readPlan(exec, place.path, { file, scratch });
  const { creates, changes, destroys } = content;
  const planSha256 = sha256Hex(bytes);
  const facts = { ...where, creates, changes, destroys, planSha256, terraform: content.terraformVersion };
  return {
    status: 'ok',
    facts,
    text: describePlan(content, place, planSha256),
    artifacts: [
      { name: 'plan.tfplan', content: bytes },
      { name: 'plan.json', content: `${JSON.stringify({ ...facts, list: content.list }, null, 2)}\n` },
    ],
  };
}

/** Whatever is missing (providers, modules, a backend), terraform says to run init; then it is run, once. */
async function initialised(
  context: ToolContext,
  exec: ToolExec,
  place: Place,
  attempt: () => Promise<ToolExit>,
): Promise<ToolExit> {
  const first = await attempt();
  if (first.code === 0 || !/terraform init/.test(first.stderr)) return first;
  context.signal.throwIfAborted();
  const init = await runTerraform(exec, place.path, ['init', '-input=false', '-no-color'], {
    access: 'write',
    readWrite: [place.path],
  });
  return init.code === 0 ? attempt() : init;
}

export function describePlan({ creates, changes, destroys, list }: PlanContent, place: Place, sha256: string): string {
  const lines = list.slice(0, shownChanges).map(({ address, actions }) => `  ${actions.join(' then ')}  ${address}`);
  const rest = list.length > shownChanges ? [`  and ${list.length - shownChanges} more`] : [];
  return [
    `${place.environment}: ${creates} to create, ${changes} to change, ${destroys} to destroy.`,
    ...lines,
    ...rest,
    `Plan ${sha256}`,
  ].join('\n');
}
