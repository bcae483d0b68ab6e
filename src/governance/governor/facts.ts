/** What the governor finds out by itself about a resource: where a path really leads, and whether it is protected. */
import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { systemCode } from '../../kernel/index.ts';
import type { Facts, Intent } from '../../schemas/index.ts';
import type { Channel } from './types.ts';

export interface World {
  /** Absolute paths that no agent may change: data, configuration, policies, hook settings. */
  readonly protectedPaths: readonly string[];
  /** Absolute paths that no agent may even read: the data folder and the keys. */
  readonly hiddenPaths: readonly string[];
  /** The absolute path of a program as the sandbox would find it, or undefined. */
  locate(program: string, cwd: string): string | undefined;
}

/** Facts that follow from the intent and the file system; those that a tool supplies are added by the caller. */
export function gatherFacts(world: World, channel: Channel, intent: Intent): Facts {
  switch (intent.action) {
    case 'fs.read':
    case 'fs.write':
    case 'fs.delete': {
      const path = whereItLeads(resolve(channel.workspace, intent.resource));
      // A branch that an agent could move by writing a file would be under nobody's rule.
      const readable = [...world.protectedPaths, join(channel.workspace, '.git')];
      const closed = intent.action === 'fs.read' ? world.hiddenPaths : [...world.hiddenPaths, ...readable];
      const inWorkspace = isInside(path, channel.workspace);
      return {
        inWorkspace,
        protected: closed.some((at) => isInside(path, at)),
        path: inWorkspace ? relative(channel.workspace, path) || '.' : path,
      };
    }
    case 'process.exec':
      // What is not found is judged by its name, and then cannot be started.
      return { program: world.locate(intent.resource, channel.workspace) ?? intent.resource };
    case 'state.read':
    case 'state.write': {
      // By the kind of space first, so that an agent with the name "team" does not own those of all teams.
      if (intent.resource.startsWith('team/')) {
        const space = channel.team === undefined ? undefined : `team/${channel.team}`;
        return { own: space !== undefined && (intent.resource === space || intent.resource.startsWith(`${space}/`)) };
      }
      return { own: intent.resource === channel.agent || intent.resource.startsWith(`${channel.agent}/`) };
    }
    case 'memory.read':
    case 'memory.write': {
      // Of a team's space the memory tells, which knows who belongs to it. By the kind of space first, so that an agent
      // with the name "agent" or "team" does not own all of them.
      const space = `agent/${channel.agent}`;
      return { own: intent.resource === space || intent.resource.startsWith(`${space}/`) };
    }
    default:
      return {};
  }
}

/**
 * The real path of what exists, plus the rest as written. Every symlink on the way counts for where it points, also one
 * whose target does not exist yet: a write through it would create the target.
 */
export function whereItLeads(path: string, links = 0): string {
  // What is to be created is the common case, and two thrown errors cost more than all else here.
  const missing = lstatSync(path, { throwIfNoEntry: false }) === undefined;
  if (missing && dirname(path) !== path) return join(whereItLeads(dirname(path), links), basename(path));
  try {
    return realpathSync.native(path);
  } catch (error) {
    const code = systemCode(error);
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(path) === path || links > 40) throw error;
    const target = linkTarget(path);
    if (target !== undefined) return whereItLeads(resolve(dirname(path), target), links + 1);
    return join(whereItLeads(dirname(path), links), basename(path));
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // not a link: it is simply not there yet
  }
}

export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
