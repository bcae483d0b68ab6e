/** Where terraform works, and which environment that is. What is not named is production. */
import { realpath, stat } from 'node:fs/promises';
import { join, normalize, relative, sep } from 'node:path';
import { AgovError, systemCode } from '../../../kernel/index.ts';
import { isInside, pathInWorkspace } from '../paths.ts';
import type { ToolContext } from '../port.ts';

export interface Place {
  /** Relative to the workspace, every link followed. */
  readonly dir: string;
  /** Absolute and real. */
  readonly path: string;
  readonly environment: string;
}

const unnamed = 'prod';

type Ground = Pick<ToolContext, 'workspace' | 'projectRoot' | 'environments'>;

/** @throws NOT_FOUND, INPUT_INVALID */
export async function placeOf(context: Ground, given: string): Promise<Place> {
  const path = await realpath(join(context.workspace, pathInWorkspace(context, given))).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR') throw error;
    throw new AgovError('NOT_FOUND', { what: `There is no folder ${given}.`, fix: 'Name one with .tf files.' });
  });
  // By where it really is: a link called `dev` to the folder of production is production.
  if (!isInside(path, context.workspace)) {
    throw new AgovError('INPUT_INVALID', {
      what: `${given} leads out of the workspace, to ${path}.`,
      fix: 'Name a folder inside the workspace.',
    });
  }
  if (!(await stat(path)).isDirectory()) {
    throw new AgovError('INPUT_INVALID', {
      what: `${given} is not a folder.`,
      fix: 'Name the folder of its .tf files.',
    });
  }
  const dir = relative(context.workspace, path) || '.';
  return { dir, path, environment: environmentOf(context, path) };
}

/** The longest folder of the configuration that holds `path` names the environment. */
function environmentOf(context: Ground, path: string): string {
  const within = relative(projectOf(context), path);
  const [best] = Object.entries(context.environments)
    .map(([folder, environment]) => ({ folder: normalize(folder).replace(/\/+$/, ''), environment }))
    .filter(({ folder }) => folder === '.' || isInside(within, folder))
    .sort((a, b) => depth(b.folder) - depth(a.folder));
  return best?.environment ?? unnamed;
}

function depth(folder: string): number {
  return folder === '.' ? 0 : folder.split(sep).length;
}

/** A worktree is the project over again, so its folders count from its own top. */
function projectOf({ workspace, projectRoot }: Ground): string {
  const inProject = isInside(workspace, projectRoot) && !isInside(workspace, join(projectRoot, '.worktrees'));
  return inProject ? projectRoot : workspace;
}
