export { type Config, configSchema } from './config.ts';
export {
  type ArtifactRef,
  artifactRefSchema,
  type Entry,
  type EntryDraft,
  type EntryKind,
  entryKindSchema,
  entryKinds,
  entrySchema,
  maxEntryBytes,
} from './entry.ts';
export { type Fault, faultsError, formatFault, nearest } from './faults.ts';
export {
  type Decision,
  decisionSchema,
  type Facts,
  type Intent,
  intentSchema,
  type Outcome,
  outcomeSchema,
  type Verdict,
  verdictSchema,
} from './intent.ts';
export { jsonObjectSchema, jsonSchema } from './json.ts';
export {
  type Action,
  actionSchema,
  actions,
  nameSchema,
  sha256Schema,
  type Tier,
  tierLevel,
  tierSchema,
  tiers,
} from './names.ts';
export { type Pipeline, pipelineSchema, type Stage, stageSchema } from './pipeline.ts';
export { parseYaml, readYaml, type YamlFile, type YamlPath, type YamlResult } from './yaml.ts';
