/**
 * Acting in one working folder of the workspace as if it were all of it. Only narrower: what an agent has made with
 * `git.worktree` is the one kind of folder that can be named, and it must really lie where its name says.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Channel } from '../../../../governance/governor/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { workspaceOf } from '../../acting/workspace.ts';

export const withinSchema = z
  .string()
  .max(512)
  .regex(/^\.worktrees\/(?!\.{1,2}$)[^/\0]+$/, 'must be a folder right inside .worktrees: .worktrees/NAME')
  .optional()
  .describe('A working folder in .worktrees of your workspace: nothing else of the workspace is seen or changed.');

/** @throws WORKSPACE_INVALID */
export async function narrowed(channel: Channel, within: string | undefined): Promise<Channel> {
  if (within === undefined) return channel;
  const workspace = await workspaceOf(channel.workspace, within, []);
  // A link there could lead to what no agent works in, such as `.git`.
  if (workspace === join(channel.workspace, within)) return { ...channel, workspace };
  throw new AgovError('WORKSPACE_INVALID', {
    what: `${within} is not a folder of its own.`,
    why: `It is ${workspace}.`,
    fix: 'Make one with git.worktree.',
  });
}
