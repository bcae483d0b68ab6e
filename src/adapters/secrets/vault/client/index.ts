export {
  authAnswer,
  keysAnswer,
  leasedAnswer,
  metadataAnswer,
  mountAnswer,
  refusalAnswer,
  renewedAnswer,
  valueAnswer,
  writtenAnswer,
} from './answers.ts';
export { garbled, unavailable } from './refusals.ts';
export type { VaultAuth } from './session.ts';
export type { Call, Request } from './transport.ts';
export { type ChildToken, openVault, shaped, type Vault, type VaultOptions } from './vault.ts';
export type { Answer } from './wire.ts';
