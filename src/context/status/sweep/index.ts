export { cycles, dependencyPath } from './depends.ts';
export { type Finding, type FindingKind, shownPath } from './findings.ts';
export { mend } from './mend.ts';
export { findingsOf } from './sweep.ts';
