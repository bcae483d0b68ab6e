export { type Breaker, type BreakerStatus, openBreaker } from './breaker.ts';
export {
  guardIdentities,
  guardModel,
  guardSecrets,
  guardSigner,
  guardState,
  isModelOutage,
  isSigningOutage,
  isStateOutage,
  isVaultOutage,
  type Urgency,
} from './ports.ts';
