/** Plans of the infrastructure that a change touches, made in its working folder. */
import { dirname, relative } from 'node:path';
import type { Agent } from '../../../../agent-client/index.ts';
import type { Changes } from '../frame/changes.ts';
import { lines } from '../frame/git.ts';
import { readConfiguration, rootFolders } from '../frame/terraform/configuration.ts';

export const infrastructure = /\.(?:tf|tf\.json|tfvars)$/;

export type Planned =
  | {
      readonly dir: string;
      readonly environment: string;
      readonly creates: number;
      readonly changes: number;
      readonly destroys: number;
      readonly sha256: string;
    }
  /** By the rules: where operators would have to be asked, they are asked by whoever is to apply it. */
  | { readonly dir: string; readonly refused: string };

/** @throws where Terraform fails: then the change does not hold */
export async function planTouched(
  agent: Agent,
  { files }: Changes,
  { within, commit }: { readonly within: string; readonly commit: string },
): Promise<readonly Planned[]> {
  const touched = new Set(files.filter(({ file }) => infrastructure.test(file)).map(({ file }) => dirname(file)));
  if (touched.size === 0) return [];
  const all = (await lines(['ls-tree', '-r', '--name-only', commit])).map((file) => `${within}/${file}`);
  // A module is planned where it is called.
  const roots = rootFolders(all).filter((root) =>
    [...readConfiguration(root, all).folders].some((folder) => touched.has(relative(within, folder) || '.')),
  );
  const dirs = roots.map((root) => relative(within, root) || '.');
  const plans: Planned[] = [];
  for (const dir of dirs) {
    const used = await agent.act('terraform.plan', { dir }, { within });
    if (used.verdict !== 'allow') {
      plans.push({ dir, refused: used.reasons[0] ?? used.verdict });
      continue;
    }
    if (used.status === 'failed') throw new Error(`terraform.plan in ${dir}: ${used.reason ?? 'it failed.'}`);
    const { environment, creates, changes, destroys, planSha256 } = used.facts;
    plans.push({
      ...{ dir, environment: String(environment), sha256: String(planSha256) },
      ...{ creates: Number(creates), changes: Number(changes), destroys: Number(destroys) },
    });
  }
  return plans;
}
