export { type SharedAccounts, sharedAccounts } from './shared.ts';
