export { type AgentDefinition, agentSchema, type LlmDefinition, llmLimits } from './agent.ts';
export { type Budget, budgetSchema } from './budget.ts';
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
export { type Fault, faultsError, formatFault, nearest, showFault } from './faults.ts';
export {
  consentOf,
  type EventGate,
  type EvidenceGate,
  eventNameSchema,
  type Gate,
  lockNameSchema,
} from './gates.ts';
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
export { type ModelConfig, modelSchema } from './models.ts';
export {
  type Action,
  actionSchema,
  actions,
  nameSchema,
  sha256Schema,
  steersPrograms,
  type Tier,
  tierLevel,
  tierSchema,
  tiers,
} from './names.ts';
export {
  duration,
  meansTemplate,
  type Parameter,
  type PipelineFile,
  pipelineSchema,
  relativePath,
  type Stage,
  stageSchema,
  templateReference,
  type WrittenStage,
} from './pipeline.ts';
export {
  type PreflightCheck,
  type PreflightRecord,
  preflightRecordSchema,
} from './preflight.ts';
export { type Phase, phases, statusSchema } from './status.ts';
export { roleSchema, type Team, type TeamMember, teamSchema } from './team.ts';
export {
  type Call,
  type Expansion,
  type Pipeline,
  runningStageSchema,
  type Template,
  templateSchema,
} from './template.ts';
export { parseYaml, readYaml, readYamlDocuments, type YamlFile, type YamlPath, type YamlResult } from './yaml.ts';
export { issuesOf } from './yaml-issues.ts';
