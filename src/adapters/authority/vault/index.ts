export { openVaultIdentities } from './identities/index.ts';
export { vaultLayout } from './layout/layout.ts';
export { vaultNames } from './names.ts';
