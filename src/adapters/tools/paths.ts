/** Paths as tools take them: named relative to the workspace, normalised as text. Where they lead is the governor's to find out. */
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { z } from 'zod';
import { AgovError } from '../../kernel/index.ts';
import type { ToolContext } from './port.ts';

const maxPathBytes = 4096;

export const pathSchema = z
  .string()
  .min(1)
  .refine((path) => !path.includes('\0'), 'must not hold a NUL byte')
  .refine((path) => path.isWellFormed(), 'must be well-formed text')
  .refine((path) => Buffer.byteLength(path) <= maxPathBytes, `must be at most ${maxPathBytes} bytes`);

/**
 * `path` relative to the workspace, `.` for the workspace itself. A relative path that leads out (`../x`) stays as it
 * is: it becomes an intent that is denied on record. @throws INPUT_INVALID for an absolute path outside.
 */
export function workspacePath(context: Pick<ToolContext, 'workspace'>, path: string): string {
  const normal = normalize(isAbsolute(path) ? relative(context.workspace, path) || '.' : path).replace(/(?<=.)\/$/, '');
  if (isAbsolute(path) && leadsOut(normal)) {
    throw new AgovError('INPUT_INVALID', {
      what: `${JSON.stringify(path)} is outside the workspace.`,
      why: `The workspace is ${context.workspace}.`,
      fix: 'Name the path relative to the workspace.',
    });
  }
  return normal;
}

/** As `workspacePath`, for tools whose intent is about something else than the path. @throws INPUT_INVALID */
export function pathInWorkspace(context: Pick<ToolContext, 'workspace'>, path: string): string {
  const normal = workspacePath(context, path);
  if (leadsOut(normal)) {
    throw new AgovError('INPUT_INVALID', {
      what: `${JSON.stringify(path)} leads out of the workspace.`,
      fix: 'Name a path inside the workspace.',
    });
  }
  return normal;
}

export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

export function inWorkspace(context: ToolContext, path: string): string {
  return join(context.workspace, path);
}

function leadsOut(normal: string): boolean {
  return normal === '..' || normal.startsWith(`..${sep}`);
}
