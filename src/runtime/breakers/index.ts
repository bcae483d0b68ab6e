export { type Breaker, type BreakerStatus, openBreaker } from './breaker.ts';
export {
  guardIdentities,
  guardSecrets,
  guardSigner,
  guardState,
  isSigningOutage,
  isStateOutage,
  isVaultOutage,
  type Urgency,
} from './ports.ts';
