/** All entries that a query finds, however many: read a page at a time, so that memory stays bounded. */
import type { Entry } from '../../../schemas/index.ts';
import type { LedgerReader } from './reader.ts';
import type { EntryQuery } from './search.ts';

const page = 1000;

/** Oldest first. Entries that are appended while the caller reads are found too. */
export function* everyEntry(
  ledger: Pick<LedgerReader, 'query'>,
  { after = -1, ...query }: Omit<EntryQuery, 'limit' | 'newestFirst'>,
): Generator<Entry, void> {
  for (let from = after; ; ) {
    const entries = ledger.query({ ...query, after: from, limit: page });
    yield* entries;
    const last = entries.at(-1);
    if (entries.length < page || !last) return;
    from = last.seq;
  }
}
