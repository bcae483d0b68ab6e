export { operationNames } from './abilities.ts';
export { type LlmParts, runLlm } from './run.ts';
export { answerShape } from './talk/answer.ts';
