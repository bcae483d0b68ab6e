export { type ProbeOptions, probeAll, within, worst } from './probes.ts';
export type { Finding, ProbeName, ProbeParts, ProbeResult, ProbeVerdict, StateHealth, VaultHealth } from './types.ts';
