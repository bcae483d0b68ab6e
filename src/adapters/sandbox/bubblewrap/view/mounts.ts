/**
 * Which parts of the host a command sees, and how. What is hidden or protected stays so whatever the command renames,
 * links or creates: every folder between a writable root and a guarded path is made a mount point of its own, since
 * the kernel refuses to rename or remove mount points (otherwise `mv .claude x; mkdir .claude` would get round the
 * read-only bind of `.claude/settings.json`).
 */
import { realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { AgovError } from '../../../../kernel/index.ts';
import { type CheckedCommand, isWithin } from '../../command.ts';
import { placeholder } from './placeholder.ts';

export type Mount =
  | { readonly kind: 'read-only' | 'read-write'; readonly source: string; readonly target: string }
  | { readonly kind: 'empty-folder' | 'empty-file'; readonly target: string };

type Root = Extract<Mount, { source: string }>;

/**
 * Parents before children. May create empty folders on the host: see placeholder.ts.
 * @throws AgovError WORKSPACE_INVALID
 */
export function planMounts(command: CheckedCommand, extraReadOnly: readonly string[]): readonly Mount[] {
  const { profile, workspace } = command;
  const hidden = profile.hidden.flatMap(namesOf);
  if (hidden.some((path) => isWithin(workspace, path))) {
    throw new AgovError('WORKSPACE_INVALID', {
      what: `The workspace ${workspace} lies inside a hidden path.`,
      fix: 'Choose a workspace outside .agov and the key folders.',
    });
  }
  const roots = rootsOf(command, extraReadOnly).filter((root) => !hidden.some((path) => isWithin(root.source, path)));
  const seen: readonly Root[] = [{ kind: 'read-only', source: '/usr', target: '/usr' }, ...roots];
  const guards = [
    ...profile.protected.flatMap((path) => guardsFor(path, 'protected', seen)),
    ...profile.hidden.flatMap((path) => guardsFor(path, 'hidden', seen)),
  ];
  return withPins(outermost([...roots, ...guards]));
}

function rootsOf(command: CheckedCommand, extraReadOnly: readonly string[]): readonly Root[] {
  const { profile, workspace } = command;
  const kind = profile.access;
  const writable: Root[] = profile.readWrite.map((path) => ({
    kind: 'read-write',
    source: realPath(path) ?? missingWritable(path),
    target: resolve(path),
  }));
  const main: Root = { kind, source: workspace, target: workspace };
  const shown: Root[] = [];
  for (const path of [...extraReadOnly, ...profile.readOnly]) {
    const source = realPath(path);
    if (source !== undefined) shown.push({ kind: 'read-only', source, target: resolve(path) });
  }
  const guarded = profile.protected.flatMap(namesOf);
  const roots = [...shown, main, ...writable].map((root): Root => {
    refuseSystemPath(root);
    return guarded.some((path) => isWithin(root.source, path)) ? { ...root, kind: 'read-only' } : root;
  });
  const open = roots.filter((root) => root.kind === 'read-write');
  // A link inside a writable root is the command's own to change, so only the real path can be mounted upon.
  return roots.map((root) =>
    open.some((other) => other !== root && isWithin(root.target, other.target))
      ? { ...root, target: root.source }
      : root,
  );
}

/** One guard for each place at which `path` would show. */
function guardsFor(path: string, guard: 'hidden' | 'protected', roots: readonly Root[]): readonly Mount[] {
  const places = new Set<string>();
  for (const name of namesOf(path)) {
    for (const root of roots) {
      if (isWithin(name, root.source)) places.add(join(root.target, relative(root.source, name)));
      if (isWithin(name, root.target)) places.add(name);
    }
  }
  return [...places].flatMap((target): readonly Mount[] => {
    const root = covering(target, roots);
    if (root === undefined) return [];
    if (guard === 'protected' && root.kind === 'read-only') return [];
    const found = placeholder(root.source, relative(root.target, target), guard, root.kind === 'read-write');
    if (found === undefined) return [];
    const at = join(root.target, found.path);
    if (found.kind !== 'existing') return [{ kind: 'empty-folder', target: at }];
    if (guard === 'protected') return [{ kind: 'read-only', source: join(root.source, found.path), target: at }];
    return [{ kind: found.folder ? 'empty-folder' : 'empty-file', target: at }];
  });
}

/** One mount a target, the last one given winning, and nothing beneath what is masked. */
function outermost(mounts: readonly Mount[]): readonly Mount[] {
  const all = [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
  const masks = all.filter((mount) => mount.kind === 'empty-folder' || mount.kind === 'empty-file');
  return all.filter((mount) => !masks.some((mask) => mask !== mount && isWithin(mount.target, mask.target)));
}

function withPins(mounts: readonly Mount[]): readonly Mount[] {
  const all = new Map(mounts.map((mount) => [mount.target, mount]));
  for (const mount of mounts) {
    for (let folder = dirname(mount.target); folder !== dirname(folder); folder = dirname(folder)) {
      const over = covering(folder, mounts);
      if (over?.kind !== 'read-write' || all.has(folder)) continue;
      const source = join(over.source, relative(over.target, folder));
      all.set(folder, { kind: 'read-write', source, target: folder });
    }
  }
  return [...all.values()].sort((a, b) => depth(a.target) - depth(b.target));
}

/** The mount through which `path` is seen: the deepest at or above it. */
function covering<M extends Mount>(path: string, mounts: readonly M[]): M | undefined {
  return mounts
    .filter((mount) => isWithin(path, mount.target))
    .reduce<M | undefined>(
      (best, mount) => (best && depth(best.target) > depth(mount.target) ? best : mount),
      undefined,
    );
}

function depth(path: string): number {
  return path === '/' ? 0 : path.split('/').length;
}

/** `path` as given, and where it really is. */
function namesOf(path: string): readonly string[] {
  const given = resolve(path);
  for (let folder = given; ; folder = dirname(folder)) {
    const real = realPath(folder);
    if (real !== undefined) return [...new Set([given, join(real, relative(folder, given))])];
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Missing, or behind a folder that we may not enter: the sandbox could not show it either.
    return undefined;
  }
}

const kernelPaths = ['/proc', '/sys', '/dev'];
const systemPaths = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc', '/boot', '/opt/agov'];

function refuseSystemPath(root: Root): void {
  const reserved = root.kind === 'read-write' ? [...kernelPaths, ...systemPaths] : kernelPaths;
  const inside = reserved.find((path) => isWithin(root.source, path) || isWithin(root.target, path));
  if (root.source !== '/' && root.target !== '/' && inside === undefined) return;
  throw new AgovError('WORKSPACE_INVALID', {
    what: `The sandbox cannot show ${root.target} ${root.kind === 'read-write' ? 'for writing' : 'as it is'}.`,
    why: `${inside ?? '/'} belongs to the system: showing it would undo the sandbox.`,
    fix: 'Name a folder of the project.',
  });
}

function missingWritable(path: string): never {
  throw new AgovError('WORKSPACE_INVALID', {
    what: `The folder ${path}, which the command must be able to write, does not exist.`,
    fix: `Create it: mkdir -p ${path}`,
  });
}
