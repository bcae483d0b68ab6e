export { openVaultIdentities, type VaultIdentitiesOptions } from './open.ts';
