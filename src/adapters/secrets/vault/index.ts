export { configuredVault } from './configured.ts';
export { openVaultSecrets, type VaultSecretsOptions } from './open.ts';
