export { operationNames } from './abilities.ts';
export { type AskParts, askModel } from './ask.ts';
export { timeLeft, withBudget } from './budget.ts';
export { type LlmParts, runLlm } from './run.ts';
export { answerShape } from './talk/answer.ts';
