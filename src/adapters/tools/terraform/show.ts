/** `terraform.show`: what a plan would do, counted from its file, for whoever has to judge it and trusts no summary of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Schema } from '../../../schemas/index.ts';
import { defineTool } from '../define.ts';
import { pathSchema } from '../paths.ts';
import { checkedPlan } from './apply.ts';
import { terraformNeed } from './command.ts';
import { placeOf } from './place.ts';
import { describePlan } from './plan.ts';
import { readPlan } from './plan-content.ts';

export const terraformShow = defineTool({
  name: 'terraform.show',
  summary: 'Tells what a plan that terraform.plan has made would do.',
  needs: [terraformNeed],
  args: z.strictObject({
    dir: pathSchema.describe('The folder that the plan was made in, relative to the workspace.'),
    plan: sha256Schema.describe('SHA-256 of the plan file.'),
  }),
  async prepare({ dir, plan }, context) {
    const place = await placeOf(context, dir);
    const { environment } = place;
    return {
      intent: { action: 'infra.plan', resource: environment, args: { dir: place.dir, environment, show: plan } },
      facts: {},
      async perform(exec) {
        const file = join(context.scratch, 'plan.tfplan');
        await writeFile(file, checkedPlan(await context.artifact(plan), plan), { flag: 'wx', mode: 0o600 });
        const content = await readPlan(exec, place.path, { file, scratch: context.scratch });
        const { creates, changes, destroys, empties, list } = content;
        const facts = { dir: place.dir, environment, creates, changes, destroys, empties };
        return {
          status: 'ok',
          facts: { ...facts, shownSha256: plan },
          text: describePlan(content, place, plan),
          artifacts: [{ name: 'plan.json', content: `${JSON.stringify({ ...facts, list }, null, 2)}\n` }],
        };
      },
    };
  },
});
