export { type Breaker, type BreakerStatus, openBreaker } from './breaker.ts';
export { guarded, guardSecrets, guardState, isStateOutage, isVaultOutage, type Urgency } from './ports.ts';
