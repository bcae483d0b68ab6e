/** HashiCorp Vault as all adapters ask it: one session, one deadline, refusals that name what is missing. */
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
export { configuredVault } from './configured.ts';
export type { Answer, Call, Request } from './exchange/index.ts';
export { inParallel } from './parallel.ts';
export { garbled, unavailable } from './refusals.ts';
export type { VaultAuth } from './session.ts';
export { type ChildToken, openVault, shaped, type Vault, type VaultOptions } from './vault.ts';
