export { type ProbeParts, type ProbeResult, type ProbeVerdict, probeAll } from './probes.ts';
