export { type Config, configSchema } from './config/config.ts';
export { type ModelConfig, modelSchema } from './config/models.ts';
export { type Phase, phases, statusSchema } from './context/status.ts';
export { jsonObjectSchema, jsonSchema } from './json.ts';
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
  type ArtifactRef,
  artifactRefSchema,
  type Entry,
  type EntryDraft,
  type EntryKind,
  entryKindSchema,
  entryKinds,
  entrySchema,
  maxEntryBytes,
} from './record/entry.ts';
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
} from './record/intent.ts';
export { type AgentDefinition, agentSchema, type LlmDefinition, llmLimits } from './work/agent.ts';
export { type Budget, budgetSchema } from './work/budget.ts';
export {
  consentOf,
  type EventGate,
  type EvidenceGate,
  eventNameSchema,
  type Gate,
  lockNameSchema,
} from './work/gates.ts';
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
} from './work/pipeline.ts';
export {
  type PreflightCheck,
  type PreflightRecord,
  preflightRecordSchema,
} from './work/preflight.ts';
export { roleSchema, type Team, type TeamMember, teamSchema } from './work/team.ts';
export {
  type Call,
  type Expansion,
  type Pipeline,
  runningStageSchema,
  type Template,
  templateSchema,
} from './work/template.ts';
export { type Fault, faultsError, formatFault, nearest, showFault } from './yaml/faults.ts';
export { parseYaml, readYaml, readYamlDocuments, type YamlFile, type YamlPath, type YamlResult } from './yaml/yaml.ts';
export { issuesOf } from './yaml/yaml-issues.ts';
