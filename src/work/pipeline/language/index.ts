export { conditionsOf, fillUnit, itemsOf, outputsOf, secretPathsOf, specOf, unmetCondition } from './fill.ts';
export { type Parameters, readGiven, readParameters } from './parameters.ts';
export { checkTemplates, type Known, mustParse, type ParseResult, parseKept, parsePipeline } from './parse.ts';
export { eventGateOf } from './scope/event.ts';
export { groupOf, holdsFor, locksOf } from './scope/gates.ts';
export { evidenceStage, lockVariable } from './scope/names.ts';
export { waitsOf } from './scope/said.ts';
export { isSettled } from './scope/settled.ts';
export { signalFor } from './scope/values.ts';
export {
  ancestorsOf,
  callOf,
  isFinal,
  isMany,
  levelsOf,
  localName,
  stageOf,
  stagesUnder,
} from './stages.ts';
export {
  keptText,
  pipelineUsing,
  projectTemplates,
  readKept,
  readShipped,
  shippedTemplates,
  type TemplateFiles,
  templatesIn,
  usesOf,
} from './templates/index.ts';
