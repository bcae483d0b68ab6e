export { type ProbeOptions, probeAll, worst } from './probes.ts';
export type { Finding, ProbeParts, ProbeResult, ProbeVerdict, StateHealth, VaultHealth } from './types.ts';
