export { admit, type Waiver } from './admit.ts';
export { lookingExec } from './look.ts';
export { type Preflight, preflight } from './preflight.ts';
export type { Check, CheckFinding, CheckStatus, PreflightParts, TreeState } from './types.ts';
