export { operationNames } from './abilities.ts';
export { type AskParts, askModel } from './ask.ts';
export { withBudget } from './budget.ts';
export { type LlmParts, runLlm } from './run.ts';
export { answerShape } from './talk/answer.ts';
