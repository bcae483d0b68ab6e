/** What is left of a unit that ended well: its declared artifacts and outputs. */
export { type KeepParts, keepArtifacts } from './artifacts.ts';
export { readOutputs } from './outputs.ts';
