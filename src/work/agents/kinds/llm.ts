/** An agent that is a language model: see `../llm`. */
import { AgovError } from '../../../kernel/index.ts';
import { type LlmParts, runLlm } from '../llm/index.ts';
import type { Kind } from './types.ts';

export function llmKind(parts: LlmParts): Kind {
  return (job) => {
    const { llm } = job.definition.value.runs;
    if (!llm) throw new AgovError('INTERNAL', { what: 'A definition without model came through.' });
    return runLlm(parts, { ...job, llm });
  };
}
