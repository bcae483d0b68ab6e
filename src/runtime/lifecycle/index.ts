export { type KillReport, type KillStep, type RevokeParts, revokeAgent } from './revoke.ts';
