export { adopt, type Handed, handOver } from './handover.ts';
export { type SharedAccounts, sharedAccounts } from './shared.ts';
