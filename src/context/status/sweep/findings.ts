/** What a sweep can find. A fault is wrong for certain; a warning is for a person to look at. */
import type { ShownFault } from '../tree/index.ts';

export type FindingKind =
  | 'missing'
  | 'malformed'
  | 'unreadable'
  | 'stale'
  | 'ahead'
  | 'gone'
  | 'untold'
  | 'unfinished'
  | 'open-tasks'
  | 'cycle';

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: 'fault' | 'warning';
  /** The directory, `.` for the project's root. */
  readonly path: string;
  readonly message: string;
  /** Of a malformed file: each with its place, and the line itself. */
  readonly faults?: readonly ShownFault[];
  /** What was done about it. */
  readonly fixed?: string;
}

export function shownPath(path: string): string {
  return path === '' ? '.' : path;
}
