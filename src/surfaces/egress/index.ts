export { openEgress } from './open.ts';
export { startEgressProxy } from './proxy.ts';
export type { Authorisation, EgressOptions, EgressOutcome, EgressProxy, EgressRequest } from './types.ts';
