/**
 * `terraform.apply`: carries out one plan file, byte for byte. What it would do is read from the file itself, never from
 * what is said about it; a plan that leaves nothing standing is another action than one that changes things.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AgovError, sha256Hex } from '../../../kernel/index.ts';
import { sha256Schema } from '../../../schemas/index.ts';
import { defineTool } from '../define.ts';
import { failed } from '../exec-result.ts';
import { pathSchema } from '../paths.ts';
import type { ToolContext, ToolExec, ToolResult } from '../port.ts';
import { firstError, runTerraform, terraformNeed, terraformVersion } from './command.ts';
import { type Place, placeOf } from './place.ts';
import { readPlan } from './plan-content.ts';
import { takeFile } from './scratch-file.ts';

export const terraformApply = defineTool({
  name: 'terraform.apply',
  summary: 'Applies a plan that terraform.plan has made.',
  needs: [terraformNeed],
  args: z.strictObject({
    dir: pathSchema.describe('The folder that the plan was made in, relative to the workspace.'),
    plan: sha256Schema.describe('SHA-256 of the plan file.'),
  }),
  async prepare({ dir, plan }, context, exec) {
    const place = await placeOf(context, dir);
    await terraformVersion(exec, place.path);
    const file = join(context.scratch, 'plan.tfplan');
    await writeFile(file, checkedPlan(await context.artifact(plan), plan), { flag: 'wx', mode: 0o600 });
    const content = await readPlan(exec, place.path, { file, scratch: context.scratch });
    const { creates, changes, destroys } = content;
    const { environment } = place;
    return {
      intent: {
        action: content.empties ? 'infra.destroy' : 'infra.apply',
        resource: environment,
        args: { dir: place.dir, plan, creates, changes, destroys, environment },
      },
      facts: { plan: { environment, creates, changes, destroys } },
      perform: (run) => apply(context, run, { place, file, plan }),
    };
  },
});

async function apply(
  context: ToolContext,
  exec: ToolExec,
  { place, file, plan }: { readonly place: Place; readonly file: string; readonly plan: string },
): Promise<ToolResult> {
  checkedPlan(await takeFile(file), plan);
  const again = await placeOf(context, place.dir);
  if (again.path !== place.path) return failed(`${place.dir} leads elsewhere now; nothing was applied.`);
  const exit = await runTerraform(exec, place.path, ['apply', '-input=false', '-no-color', file], {
    access: 'write',
    readOnly: [context.scratch],
    readWrite: [place.path],
  });
  const facts = { dir: place.dir, environment: place.environment, planSha256: plan, exitCode: exit.code };
  const artifacts = [{ name: 'apply.log', content: exit.stdout + exit.stderr }];
  if (exit.code !== 0) return { ...failed(firstError(exit), facts), artifacts };
  const summary = /^Apply complete! .*$/m.exec(exit.stdout)?.[0] ?? 'Apply complete.';
  return { status: 'ok', facts, text: `${place.environment}: ${summary}`, artifacts };
}

/** @throws TOOL_FAILED */
export function checkedPlan(bytes: Buffer, plan: string): Buffer {
  if (sha256Hex(bytes) === plan) return bytes;
  throw new AgovError('TOOL_FAILED', {
    what: 'The plan file is not the one that was named.',
    why: 'Its bytes have another digest.',
    fix: 'Make a new plan: terraform.plan.',
  });
}
