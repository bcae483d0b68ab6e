/** Content in few words, without a model: the same content has the same summary. Each kind in its own way. */
import { codeSummary } from './code.ts';
import { logSummary } from './log.ts';
import { proseSummary } from './prose.ts';
import { tableSummary } from './table.ts';

export const summaryLengths = { short: 40, medium: 120, long: 300 } as const;
export type SummaryLength = keyof typeof summaryLengths;

/** Of at most so many words, headings and counts included. */
export function summarize(text: string, kind: string, length: SummaryLength): string {
  const most = summaryLengths[length];
  switch (kind) {
    case 'code':
      // What is called code and names nothing is told by its sentences.
      return codeSummary(text, most) || proseSummary(text, most);
    case 'log':
      return logSummary(text, most);
    case 'table':
      return tableSummary(text, most);
    default:
      return proseSummary(text, most);
  }
}
