/** What waits for what: each `depends` as a directory of the project, what is wrong with it, and circles. */
import { posix } from 'node:path';
import type { Directory } from '../tree/index.ts';
import { type Finding, shownPath } from './findings.ts';

/** The directory that is meant, from the root; undefined where it leads out of the project. */
export function dependencyPath(from: string, written: string): string | undefined {
  const relative = /^\.{1,2}(?:\/|$)/.test(written);
  const path = posix.normalize(relative ? posix.join(from || '.', written) : written.replace(/^\/+/, '') || '.');
  const plain = path.replace(/\/+$/, '').replace(/(?:^|\/)STATUS\.md$/, '');
  if (plain === '..' || plain.startsWith('../')) return undefined;
  return plain === '.' ? '' : plain;
}

export function checkDepends(directories: readonly Directory[]): readonly Finding[] {
  const byPath = new Map(directories.map((one) => [one.path, one]));
  const findings: Finding[] = [];
  for (const { path, status } of directories) {
    if (status === undefined) continue;
    const say = (kind: Finding['kind'], severity: Finding['severity'], message: string): void => {
      findings.push({ kind, severity, path: shownPath(path), message });
    };
    for (const written of status.depends) {
      const target = dependencyPath(path, written);
      const other = target === undefined ? undefined : byPath.get(target);
      if (target === undefined) say('gone', 'fault', `It depends on ${written}, which is outside of the project.`);
      else if (target === path) say('cycle', 'fault', 'It depends on itself.');
      else if (other === undefined) say('gone', 'fault', `It depends on ${written}, and there is no such directory.`);
      else if (other.status === undefined)
        say('untold', 'warning', `It depends on ${written}, of which no status can be read.`);
      else if (other.status.phase !== 'complete' && !['not-started', 'blocked'].includes(status.phase)) {
        const message = `It is ${status.phase} and depends on ${written}, which is ${other.status.phase}.`;
        say('unfinished', status.phase === 'complete' ? 'fault' : 'warning', message);
      }
    }
  }
  const circles = cycles(directories).map(
    (circle): Finding => ({
      ...{ kind: 'cycle', severity: 'fault', path: shownPath(circle[0] ?? '') },
      message: `Each waits for the next: ${[...circle, circle[0] ?? ''].map(shownPath).join(' → ')}.`,
    }),
  );
  return [...findings, ...circles];
}

/** One way round for each set of directories that all wait for each other. Directories that wait for themselves apart. */
export function cycles(directories: readonly Directory[]): readonly (readonly string[])[] {
  const next = new Map<string, readonly string[]>();
  for (const { path, status } of directories) {
    if (status === undefined || status.depends.length === 0) continue;
    next.set(
      path,
      status.depends.flatMap((one) => {
        const to = dependencyPath(path, one);
        return to === undefined || to === path ? [] : [to];
      }),
    );
  }
  const found: string[][] = [];
  const done = new Set<string>();
  for (const start of next.keys()) {
    const way: string[] = [];
    const place = new Map<string, number>();
    const stack: { path: string; at: number }[] = [{ path: start, at: 0 }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { path } = top;
      if (top.at === 0) {
        if (done.has(path)) {
          stack.pop();
          continue;
        }
        place.set(path, way.length);
        way.push(path);
      }
      const to = next.get(path)?.[top.at++];
      if (to === undefined) {
        done.add(path);
        place.delete(path);
        way.pop();
        stack.pop();
      } else if (place.has(to)) found.push(way.slice(place.get(to)));
      else if (!done.has(to)) stack.push({ path: to, at: 0 });
    }
  }
  return found;
}
