/**
 * Summaries without a model against those that a person wrote (ROUGE-L), beside what the beginning of a text scores.
 * Long ones are longer than the texts.
 */
import { summarize } from '../../src/context/summaries/index.ts';
import { mean, readReferences, type Scored, scoreOf } from '../../test/support/references.ts';

export interface SummariesBench {
  readonly texts: number;
  readonly rougeL: Readonly<Record<'short' | 'medium', Scored>>;
}

export function benchSummaries(): SummariesBench {
  const references = readReferences();
  const scored = (length: 'short' | 'medium'): Scored => {
    const { ours, firstWords, firstLines } = mean(
      references.map((one) => scoreOf(one, summarize(one.text, 'text', length))),
    );
    return { ours: round(ours), firstWords: round(firstWords), firstLines: round(firstLines) };
  };
  return {
    texts: references.length,
    rougeL: { short: scored('short'), medium: scored('medium') },
  };
}

function round(score: number): number {
  return Math.round(score * 1000) / 1000;
}
