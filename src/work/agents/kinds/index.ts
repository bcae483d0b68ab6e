export { checkDefinition, type DefinitionResult, type KnownToAgents, mustDefine } from './definition.ts';
export { createExplainAgent, type ExplainAgent } from './explain.ts';
export { functionKind } from './function/index.ts';
export { llmKind } from './llm.ts';
export { definitionFile, definitionFolder, readBeside } from './place.ts';
export { processKind } from './process.ts';
export { createRunAgent, type RunAgent, type RunJob } from './run.ts';
export type { AgentJob, AgentResult, Definition, Kind, KindName, Kinds } from './types.ts';
