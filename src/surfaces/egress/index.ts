export {
  type Authorisation,
  type EgressOptions,
  type EgressOutcome,
  type EgressProxy,
  type EgressRequest,
  startEgressProxy,
} from './proxy.ts';
