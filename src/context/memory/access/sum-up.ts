/**
 * An entry in few words by a model, where one is set up for it; by its own sentences where there is none, where it does
 * not answer, and where the asker may not use it. Which of these it was is said.
 */
import type { Spent } from '../../../governance/budgets/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import { type SummaryLength, summaryLengths } from '../../summaries/index.ts';
import type { Memory } from '../memory.ts';
import type { EntrySummary } from '../reading/summary.ts';

/** A model that writes summaries; `model` is its name in the configuration. */
export interface Writer {
  readonly model: string;
  /** Letters that it takes in at once. */
  readonly mostLetters: number;
  /** The most that it may use for this. */
  most(material: Material): Required<Spent>;
  /** In at most about so many words. @throws MODEL_UNAVAILABLE, MODEL_FAILED, the signal's reason */
  write(material: Material, signal: AbortSignal): Promise<Written>;
}

export interface Material {
  readonly kind: string;
  readonly text: string;
  readonly words: number;
}

export interface Written {
  readonly text: string;
  readonly spent: Required<Spent>;
}

export interface Summary extends EntrySummary {
  /** Who wrote it; without it the sentences are the content's own. */
  readonly model?: string;
  /** Why the model that is set up for it did not. */
  readonly instead?: string;
}

/** Most that an answer may have. */
export const answerTokens = (words: number): number => words * 4 + 200;

/** `ask` asks whether the model may be used, and does. */
export async function sumUp(
  memory: Memory,
  space: string,
  id: string,
  length: SummaryLength,
  writer: Writer | undefined,
  ask: (material: Material, writer: Writer) => Promise<Written>,
): Promise<Summary> {
  const picked = memory.summary([space], id, length);
  if (!writer || picked.kind === 'binary') return picked;
  const { text: content, read } = memory.material([space], id);
  const text = shortened(content, writer.mostLetters);
  const words = summaryLengths[length];
  try {
    const written = await ask({ kind: picked.kind, text, words }, writer);
    const told = firstWords(written.text, words);
    if (told === '') return { ...picked, instead: `The model "${writer.model}" answered with nothing.` };
    return { ...picked, text: told, model: writer.model, read: (read * text.length) / Math.max(1, content.length) };
  } catch (error) {
    // The content's own sentences need nobody; a fault of ours is none of the model's.
    if (!(error instanceof AgovError) || error.code === 'INTERNAL' || error.code === 'INPUT_INVALID') throw error;
    return { ...picked, instead: error.what };
  }
}

/** The beginning and the end: what is in the middle of something long is told there. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.floor(most * 0.7);
  return `${text.slice(0, head)}\n[…]\n${text.slice(text.length - (most - head))}`.toWellFormed();
}

function firstWords(text: string, most: number): string {
  const words = text.trim().split(/(?<=\s)(?=\S)/);
  return words.length <= most ? text.trim() : `${words.slice(0, most).join('').trim()} …`;
}
