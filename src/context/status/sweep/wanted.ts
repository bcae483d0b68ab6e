/**
 * Which directories should have a status: the project's root, and as many levels below a directory as its `track` says, or
 * `status.track` where it says nothing. The nearest word counts. Directories with a dot in front are nobody's work.
 */
import { everyLevel } from '../format/index.ts';
import type { Directory } from '../tree/index.ts';

export function missing(
  directories: readonly Directory[],
  track: Readonly<Record<string, number | boolean>>,
): readonly Directory[] {
  const configured = new Map(
    Object.entries(track).map(([path, levels]) => [path.replace(/^(?:\.\/|\/)+|^\.$|\/+$/g, ''), levelsOf(levels)]),
  );
  const left = new Map<Directory, number>();
  return directories.filter((directory) => {
    const { path, parent, status, faults, unreadable } = directory;
    const above = parent === undefined ? 0 : (left.get(parent) ?? 0);
    const hidden = path.slice(path.lastIndexOf('/') + 1).startsWith('.');
    const own = status?.track ?? configured.get(path);
    left.set(directory, hidden ? 0 : (own ?? (above === everyLevel ? everyLevel : Math.max(0, above - 1))));
    const has = status !== undefined || faults !== undefined || unreadable !== undefined;
    return !has && !hidden && (parent === undefined || above > 0);
  });
}

function levelsOf(levels: number | boolean): number {
  return levels === true ? everyLevel : levels === false ? 0 : levels;
}
