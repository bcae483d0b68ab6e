import { expect, it } from 'vitest';
import { fill, ledgerFolder } from '../../../../test/support/ledger.ts';
import { everyEntry } from '../index.ts';

it('goes over page after page, from where it is told, and misses none', async () => {
  using folder = ledgerFolder();
  await using ledger = await folder.open();
  await fill(ledger, 2001);
  const seqs = (after?: number) =>
    [...everyEntry(ledger, after === undefined ? {} : { after })].map((entry) => entry.seq);
  expect(seqs()).toEqual(Array.from({ length: 2001 }, (_, seq) => seq));
  expect(seqs(999)).toEqual(Array.from({ length: 1001 }, (_, i) => 1000 + i));
  expect(seqs(2000)).toEqual([]);
});
