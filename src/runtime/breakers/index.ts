export { type Breaker, type BreakerStatus, openBreaker } from './breaker.ts';
export {
  guardIdentities,
  guardSecrets,
  guardSigner,
  guardState,
  isStateOutage,
  isVaultOutage,
  type Urgency,
} from './ports.ts';
