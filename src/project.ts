/** Where a project lies: its root, its data folder, its keys. Keys are outside the project, so that no workspace holds them. */
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { AgovError, createOnce, type IdSource, messageOf, systemCode } from './kernel/index.ts';
import type { Config } from './schemas/index.ts';

export const configFile = 'agov.yaml';
const worktrees = '.worktrees';

export interface Project {
  /** Absolute real path of the folder that holds `agov.yaml`. */
  readonly root: string;
  /** `.agov/`. */
  readonly data: string;
  /** `$XDG_CONFIG_HOME/agov/<instance>`; 0700. */
  readonly keys: string;
  /** Names this ledger among all: two clones of one project are two instances. */
  readonly instance: string;
}

/**
 * The folder upwards from `from` that holds `agov.yaml`. Of a worktree it is the project that the worktree belongs to.
 * Elsewhere inside a project a second `agov.yaml` is refused: an agent may have left it there, with rules of its own,
 * for the operator who comes by.
 * @throws PROJECT_MISSING, CONFIG_INVALID
 */
export function findRoot(from: string): string {
  const [nearest, ...above] = rootsAbove(from);
  const outermost = above.at(-1);
  if (nearest === undefined) {
    throw new AgovError('PROJECT_MISSING', {
      what: `There is no ${configFile} in ${resolve(from)} or above it.`,
      fix: 'Run "agov init" in the folder that agents are to work in.',
    });
  }
  if (outermost === undefined) return nearest;
  const inner = [nearest, ...above.slice(0, -1)];
  if (inner.every((root) => root.startsWith(`${join(outermost, worktrees)}/`))) return outermost;
  throw new AgovError('CONFIG_INVALID', {
    what: `${join(nearest, configFile)} lies inside another project, ${outermost}.`,
    why: 'An agent that works there could have written it, so that its rules are nobody’s.',
    fix: `Use the rules of the project: agov -C ${outermost} …, or remove one of the two files.`,
  });
}

/** Nearest first. */
function rootsAbove(from: string): readonly string[] {
  const roots: string[] = [];
  const start = resolve(from);
  for (let dir = existsSync(start) ? realpathSync(start) : start; ; dir = dirname(dir)) {
    if (existsSync(join(dir, configFile))) roots.push(dir);
    if (dirname(dir) === dir) return roots;
  }
}

/** Opens the project at `root`, with a data folder and an instance id made where there are none. */
export function openProject(root: string, ids: IdSource, env: NodeJS.ProcessEnv): Project {
  const data = join(root, '.agov');
  const instance = writable(data, () => {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    return instanceId(data, ids);
  });
  const keys = keysFolder(env, instance);
  writable(keys, () => mkdirSync(keys, { recursive: true, mode: 0o700 }));
  return { root, data, keys, instance };
}

/** Where the keys of the project with this instance id lie. */
export function keysFolder(env: NodeJS.ProcessEnv, instance: string): string {
  return join(configHome(env), 'agov', instance);
}

function configHome(env: NodeJS.ProcessEnv): string {
  const home = env['XDG_CONFIG_HOME'];
  return home?.startsWith('/') ? home : join(env['HOME'] || homedir(), '.config');
}

function instanceId(data: string, ids: IdSource): string {
  const path = join(data, 'instance');
  if (!existsSync(path)) {
    // Of two first starts one makes the id, and both use it.
    createOnce(path, ids(), `${ids()}\n`);
  }
  const id = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f-]{36}$/.test(id)) {
    throw new AgovError('CONFIG_INVALID', {
      what: `${path} does not hold an instance id.`,
      why: 'The keys of this project are found by it.',
      fix: 'Restore the file from a backup; the id is also the last part of the origin in any saved head.',
    });
  }
  return id;
}

/** What `make` returns; a disk that refuses is told as such. @throws NOT_WRITABLE, DISK_FULL */
export function writable<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new AgovError('DISK_FULL', {
        what: `No space is left for ${path}.`,
        fix: 'Free some space.',
        cause: error,
      });
    }
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'ENOENT') {
      throw new AgovError('NOT_WRITABLE', {
        what: `${path} cannot be written.`,
        why: messageOf(error),
        fix: 'Make the folder writable for this user: without a record nothing is allowed.',
        cause: error,
      });
    }
    throw error;
  }
}

/** What every sandbox hides or keeps read-only, at every tier: the governor protects itself. */
export function closedPaths(
  project: Project,
  config: Config,
): { readonly hiddenPaths: readonly string[]; readonly protectedPaths: readonly string[] } {
  // Folders are kept closed before they exist. A file cannot be, without leaving an empty one behind, so that the
  // governor reads no file but these: agov.yaml, which is there, and what it names.
  const own = [
    configFile,
    'policies',
    'agents',
    'teams',
    '.claude',
    '.codex',
    ...(config.tiers === undefined ? [] : [config.tiers]),
  ];
  // What operators and their tools start from. Not kept closed before they exist: the names are common.
  const trusted = ['pipelines', '.mcp.json'].filter((path) => existsSync(join(project.root, path)));
  return {
    hiddenPaths: [project.data, dirname(project.keys)],
    protectedPaths: [...own, ...trusted, ...config.protected].map((path) => join(project.root, path)),
  };
}

/** `.git` is the governed git tool's to write: a branch that an agent's own process could move would be nobody's rule. */
export function gitPaths(workspace: string): readonly string[] {
  const path = join(workspace, '.git');
  return existsSync(path) ? [path] : [];
}
