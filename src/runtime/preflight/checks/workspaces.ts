/** Whether the folders that stages work in are there, and hold nothing of a person that a stage would sweep up. */
import { isAgovError, systemCode } from '../../../kernel/index.ts';
import { ancestorsOf, type OutlookUnit } from '../../../work/pipeline/index.ts';
import type { CheckFinding, Look, PreflightParts, Subject, TreeState } from '../types.ts';

export const checkWorkspaces: Look = async (parts, subject, signal) => {
  const byFolder = new Map<string, OutlookUnit[]>();
  for (const one of subject.units) byFolder.set(one.spec.workspace, [...(byFolder.get(one.spec.workspace) ?? []), one]);
  const looked = await Promise.all([...byFolder].map(([folder, units]) => look(parts, subject, folder, units, signal)));
  const findings = looked.flat();
  if (findings.length > 0) return findings;
  const folders = [...byFolder.keys()].slice(0, 5).join(', ');
  return [{ status: 'ok', what: `${folders}: ${subject.outlook.run === undefined ? 'there and clean' : 'there'}.` }];
};

async function look(
  parts: PreflightParts,
  { outlook: { pipeline, run } }: Subject,
  folder: string,
  units: readonly OutlookUnit[],
  signal: AbortSignal,
): Promise<readonly CheckFinding[]> {
  let path: string;
  try {
    path = await parts.workspace(folder);
  } catch (error) {
    if (!isAgovError(error, 'WORKSPACE_INVALID')) throw error;
    const [first] = units.filter(({ unit }) => !unit.undo);
    const mayBeMade = first !== undefined && ancestorsOf(pipeline, first.unit.stage).size > 0;
    if (mayBeMade && systemCode(error.cause) === 'ENOENT') {
      const what = `The workspace ${folder} is not there yet: an earlier stage must make it.`;
      return [{ status: 'warn', what, fix: 'Make it with git.worktree in an earlier stage, or before the run.' }];
    }
    const { what, why, fix } = error;
    return [{ status: 'failed', what, ...(why === undefined ? {} : { why }), ...(fix === undefined ? {} : { fix }) }];
  }
  // Stages of this run have worked here already: what they left is theirs.
  if (run !== undefined) return [];
  const state = await parts.treeState(path, signal);
  return state === undefined ? [] : judge(folder, path === parts.root, units, state);
}

/** An agent's own worktree may hold what it is to commit; the project's folder holds what people are at. */
function judge(
  folder: string,
  isProject: boolean,
  units: readonly OutlookUnit[],
  { changed, unknown, first }: TreeState,
): readonly CheckFinding[] {
  if (changed + unknown === 0) return [];
  const where = isProject ? 'The project' : `The workspace ${folder}`;
  const what = `${where} has changes that are not committed: ${first.join(', ')}${changed + unknown > first.length ? ', …' : ''}.`;
  const sweeping = units.find(({ spec }) => spec.uses === 'git.commit' && spec.with?.['paths'] === undefined);
  const merging = units.find(({ spec }) => spec.uses === 'git.merge');
  const fix = 'Commit or stash them, or let the pipeline work in a worktree.';
  if (isProject && sweeping)
    return [{ status: 'failed', what, why: `Stage "${sweeping.key}" would commit them.`, fix }];
  if (isProject && merging && changed > 0) {
    return [{ status: 'failed', what, why: `Stage "${merging.key}" merges where they lie.`, fix }];
  }
  return [{ status: 'warn', what, fix }];
}
