export { openVaultSecrets, type VaultSecretsOptions } from './open.ts';
