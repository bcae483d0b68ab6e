/** Whether what the stages start is there inside the sandbox, and new enough where a wrapped tool needs it so. */
import type { ToolNeed } from '../../../adapters/tools/port.ts';
import { isAgovError } from '../../../kernel/index.ts';
import { ancestorsOf, type OutlookUnit } from '../../../work/pipeline/index.ts';
import type { CheckFinding, Look, PreflightParts, Subject } from '../types.ts';

export const checkPrograms: Look = async (parts, subject) => {
  const commands = subject.units.filter(({ spec }) => spec.run !== undefined && spec.expect !== 'denied');
  const skipped = new Set(
    (await subject.planned().catch(() => [])).flatMap((one) => (one.verdict === 'skip' ? [one.unit] : [])),
  );
  const looked = await Promise.all(
    commands.filter(({ key }) => !skipped.has(key)).map((one) => lookFor(parts, subject, one)),
  );
  const missing = looked.filter((finding) => finding !== undefined);
  if (missing.length > 0) return missing;
  const names = new Set(commands.map(programOf));
  return [
    { status: 'ok', what: names.size === 0 ? 'None is started.' : `${[...names].slice(0, 8).join(', ')}: there.` },
  ];
};

async function lookFor(
  parts: PreflightParts,
  { outlook: { pipeline } }: Subject,
  one: OutlookUnit,
): Promise<CheckFinding | undefined> {
  const program = programOf(one);
  const folder = await parts.workspace(one.spec.workspace).catch((error: unknown) => {
    if (isAgovError(error, 'WORKSPACE_INVALID')) return undefined; // told by another check
    throw error;
  });
  if (parts.locate(program, folder ?? parts.root) !== undefined) return undefined;
  const what = `Stage "${one.key}" starts "${program}", which is not in the sandbox.`;
  const early = !program.includes('/') || ancestorsOf(pipeline, one.unit.stage).size === 0;
  // A program of the workspace may be what an earlier stage builds, and one under a condition may not be needed.
  const status = early && one.spec.when === undefined && !(folder === undefined && program.includes('/'));
  const fix = 'Install it under /usr, or name its folder in "readOnly" of agov.yaml and call it by its path.';
  return { status: status ? 'failed' : 'warn', what, fix };
}

function programOf({ spec: { run } }: OutlookUnit): string {
  return typeof run === 'object' ? (run[0] ?? '') : 'sh';
}

export const checkTools: Look = async (parts, { units }, signal) => {
  const used = new Set(units.flatMap(({ spec }) => (spec.uses === undefined ? [] : [spec.uses])));
  const needs = new Map(
    [...used].flatMap((name) => parts.tools.get(name)?.needs ?? []).map((need) => [need.program, need]),
  );
  if (needs.size === 0) return [{ status: 'ok', what: 'No wrapped tool needs a program.' }];
  return Promise.all([...needs.values()].map((need) => lookAt(parts, need, signal)));
};

async function lookAt(parts: PreflightParts, need: ToolNeed, signal: AbortSignal): Promise<CheckFinding> {
  const { program, version, install: fix } = need;
  if (parts.locate(program, parts.root) === undefined) {
    return { status: 'failed', what: `${program} is not in the sandbox.`, fix };
  }
  if (version === undefined) return { status: 'ok', what: `${program} is there.` };
  const found = version.pattern.exec(await parts.versionText(need, signal))?.[1];
  if (found === undefined) return { status: 'warn', what: `${program} does not say its version.`, fix };
  if (isAtLeast(found, version.least)) return { status: 'ok', what: `${program} ${found}.` };
  return { status: 'failed', what: `${program} is ${found}, and ${version.least} is the least.`, fix };
}

/** By numbers between dots; what comes after them (`-rc1`, `.windows.2`) says nothing. */
export function isAtLeast(found: string, least: string): boolean {
  const [have, want] = [found, least].map((text) => (/^\d+(?:\.\d+)*/.exec(text)?.[0] ?? '').split('.').map(Number));
  for (const [i, wanted] of (want ?? []).entries()) {
    const had = have?.[i] ?? 0;
    if (had !== wanted) return had > wanted;
  }
  return true;
}
