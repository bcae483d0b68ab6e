export type { VaultAuth } from './client/index.ts';
export { openVaultSecrets, type VaultSecretsOptions } from './open.ts';
