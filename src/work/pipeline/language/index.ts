export { conditionsOf, fillUnit, itemsOf, outputsOf, secretPathsOf, specOf, unmetCondition } from './fill.ts';
export { type Parameters, readGiven, readParameters } from './parameters.ts';
export { checkTemplates, type Known, mustParse, type ParseResult, parseKept, parsePipeline } from './parse.ts';
export { isSettled } from './scope/settled.ts';
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
