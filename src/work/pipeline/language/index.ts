export { fillUnit, itemsOf, meetsCondition, outputsOf, secretPathsOf, specOf } from './fill.ts';
export { type Parameters, readParameters } from './parameters.ts';
export { type Known, mustParse, type ParseResult, parsePipeline } from './parse.ts';
export { ancestorsOf, isFinal, isMany, levelsOf, stageOf } from './stages.ts';
