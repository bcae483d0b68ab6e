/** How far a run reaches into infrastructure: which environments, and of a plan that was made, how much of it. */
import { everyEntry } from '../../../governance/ledger/index.ts';
import { isAgovError, type JsonObject } from '../../../kernel/index.ts';
import type { OutlookUnit } from '../../../work/pipeline/index.ts';
import type { CheckFinding, Look, PreflightParts } from '../types.ts';

const careful = 'prod';

export const checkPlans: Look = async (parts, { units, outlook: { run } }) => {
  const reaching = units.filter(({ spec }) => spec.uses === 'terraform.plan' || spec.uses === 'terraform.apply');
  if (reaching.length === 0) return [{ status: 'ok', what: 'No infrastructure is planned or changed.' }];
  const findings = await Promise.all(reaching.map((one) => reach(parts, one)));
  return run === undefined ? findings : [...findings, ...(await planned(parts, run))];
};

async function reach(parts: PreflightParts, { key, spec }: OutlookUnit): Promise<CheckFinding> {
  const dir = spec.with?.['dir'];
  const does = spec.uses === 'terraform.apply' ? 'applies a plan' : 'plans';
  if (typeof dir !== 'string' || dir.includes('${{')) {
    return { status: 'warn', what: `Stage "${key}" ${does} in a folder that is known at the run alone.` };
  }
  const environment = await where(parts, spec.workspace, dir);
  if (environment === undefined)
    return { status: 'warn', what: `Stage "${key}" ${does} in ${dir}, which is not there yet.` };
  const what = `Stage "${key}" ${does} in ${dir}, which is ${environment}.`;
  if (environment !== careful || spec.uses !== 'terraform.apply') return { status: 'ok', what };
  return { status: 'warn', what, fix: `If it is not production, name it: terraform.environments in agov.yaml.` };
}

async function where(parts: PreflightParts, workspace: string, dir: string): Promise<string | undefined> {
  try {
    return await parts.environmentOf(await parts.workspace(workspace), dir);
  } catch (error) {
    if (isAgovError(error, 'WORKSPACE_INVALID', 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** The last plan of each folder that the run has made: what applying it would do. */
async function planned({ ledger }: PreflightParts, run: string): Promise<readonly CheckFinding[]> {
  const last = new Map<string, JsonObject>();
  for (const { body } of everyEntry(await ledger(), { kinds: ['outcome'], run })) {
    const facts = body['facts'] as JsonObject; // by the governor's schema
    if (body['status'] === 'ok' && typeof facts['destroys'] === 'number') last.set(String(facts['dir']), facts);
  }
  return [...last].map(([dir, { environment, creates, changes, destroys }]): CheckFinding => {
    const what = `The plan of ${dir} (${environment}) creates ${creates}, changes ${changes}, destroys ${destroys}.`;
    if (destroys === 0) return { status: 'ok', what };
    return { status: 'warn', what, fix: 'See what: its plan.json is an artifact of the run (agov pipeline show).' };
  });
}
