export { adopt, type Handed, handedSchema, handOver } from './handover.ts';
export { type SharedAccounts, sharedAccounts } from './shared.ts';
