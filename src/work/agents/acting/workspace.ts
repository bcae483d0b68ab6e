/** The folder that an agent works in: real, and inside the project, wherever a symlink points. */
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isInside } from '../../../governance/governor/index.ts';
import { AgovError, messageOf } from '../../../kernel/index.ts';

/**
 * The real path of `folder` (relative to the project).
 * @param closed absolute paths that are nobody's workspace: the governor's own files
 * @throws WORKSPACE_INVALID
 */
export async function workspaceOf(projectRoot: string, folder: string, closed: readonly string[]): Promise<string> {
  const asked = resolve(projectRoot, folder);
  const path = realPathOf(asked);
  if (!isInside(path, projectRoot)) {
    throw new AgovError('WORKSPACE_INVALID', {
      what: `The workspace ${asked} is outside the project.`,
      why: path === asked ? `The project is ${projectRoot}.` : `It is a symlink to ${path}.`,
      fix: 'Name a folder inside the project.',
    });
  }
  const within = closed.find((at) => isInside(path, at));
  if (within) {
    throw new AgovError('WORKSPACE_INVALID', {
      what: `The workspace ${asked} is no place for an agent.`,
      why: `${within} belongs to the governor.`,
      fix: 'Name another folder of the project.',
    });
  }
  if (statSync(path).isDirectory()) return path;
  throw new AgovError('WORKSPACE_INVALID', { what: `The workspace ${asked} is not a folder.`, fix: 'Name a folder.' });
}

/** At once: a turn of the event loop between an attempt's entry and its intent would put them into two transactions. */
function realPathOf(asked: string): string {
  try {
    return realpathSync(asked);
  } catch (cause) {
    throw new AgovError('WORKSPACE_INVALID', {
      what: `The workspace ${asked} is not there.`,
      why: messageOf(cause),
      fix: 'Name a folder of the project.',
      cause,
    });
  }
}
