/** An entry in few words. Of one that is large the beginning, the end and stretches between them are read, and it is said. */
import { type SummaryLength, summarize } from '../../summaries/index.ts';
import { type Database, partReader, partsFrom, type StoredEntry } from '../store/index.ts';

export interface EntrySummary {
  readonly id: string;
  readonly title: string;
  readonly kind: string;
  readonly length: SummaryLength;
  readonly text: string;
  /** What was read of the content, from 0 to 1. */
  readonly read: number;
}

const mostBytes = 4 * 1024 * 1024;
const stretches = 16;

export function summaryOf(db: Database, stored: StoredEntry, length: SummaryLength): EntrySummary {
  const { id, title, kind, bytes } = stored.entry;
  const { text, size } = sample(db, stored);
  const told = kind === 'binary' ? `Binary content of ${bytes} bytes.` : summarize(text, kind, length);
  return { id, title, kind, length, text: told, read: bytes === 0 ? 1 : Math.min(1, size / bytes) };
}

/** What of it is read for a summary. */
export function materialOf(db: Database, stored: StoredEntry): { readonly text: string; readonly read: number } {
  const { text, size } = sample(db, stored);
  return { text, read: Math.min(1, size / Math.max(1, stored.entry.bytes)) };
}

function sample(db: Database, { entry, content }: StoredEntry): { readonly text: string; readonly size: number } {
  const read = partReader(db, content);
  const most = entry.bytes <= mostBytes ? mostBytes : mostBytes / stretches;
  const starts =
    entry.bytes <= mostBytes
      ? [0]
      : Array.from({ length: stretches }, (_, i) => Math.floor((i * (entry.parts - 1)) / (stretches - 1)));
  const texts: string[] = [];
  let size = 0;
  let next = 0;
  for (const start of starts) {
    let left = most;
    for (let n = Math.max(start, next); n < entry.parts && left > 0; n++) {
      const [part] = partsFrom(db, content, n, 1);
      const bytes = part?.text === 1 ? read(part) : undefined;
      next = n + 1;
      if (!part || !bytes) continue;
      texts.push(bytes.toString('utf8'));
      size += bytes.length;
      left -= bytes.length;
    }
  }
  return { text: texts.join(''), size };
}
