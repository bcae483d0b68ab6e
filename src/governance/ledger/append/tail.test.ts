import { describe, expect, it } from 'vitest';
import { draft, ledgerFolder } from '../../../../test/support/ledger.ts';
import { systemEnv } from '../../../kernel/index.ts';
import { openLedger } from '../index.ts';

/** Enough for several groups of 32, in batches that end before, on and after their bounds. */
const batches = [1, 30, 1, 1, 31, 64, 1, 5, 27, 33, 2, 60];

describe('entries before and after they reach the indexes', () => {
  it('are found, closed once and refused twice alike, whichever of two writers appended them', async () => {
    using folder = ledgerFolder();
    await using one = await folder.open();
    await using two = await folder.open();
    const open: string[] = [];
    const all: string[] = [];
    for (const [i, count] of batches.entries()) {
      const [writer, other] = i % 2 === 0 ? [one, two] : [two, one];
      const before = all[all.length - 40];
      const made = await Promise.all(
        Array.from({ length: count }, () =>
          writer.append(draft(i, { opens: true, ...(before && { parent: before }) })),
        ),
      );
      const ids = made.map(({ id }) => id);
      open.push(...ids);
      all.push(...ids);
      for (const ledger of [one, two]) {
        for (const [seq, id] of all.entries()) expect(ledger.byId(id)).toMatchObject({ seq, id });
        expect(ledger.openIds()).toEqual(open);
        expect(ledger.stats()).toMatchObject({ entries: all.length, open: open.length });
        const counted = Object.values(ledger.stats().byKind).reduce((sum, n) => sum + n, 0);
        expect(counted).toBe(all.length);
        if (before) expect(ledger.query({ parent: before }).map(({ id }) => id)).toEqual(ids);
      }
      for (const id of [all[0], all.at(-1), all[all.length >> 1]]) {
        await expect(other.append(draft(0, { id: id as string }))).rejects.toMatchObject({ code: 'CONFLICT' });
      }
      for (const at of [0, open.length >> 1, open.length - 1]) {
        const id = open[at];
        if (id === undefined) continue;
        const { id: closer } = await other.append(draft(1, { closes: id }));
        all.push(closer);
        open.splice(at, 1);
        await expect(writer.append(draft(1, { closes: id }))).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
      }
      expect(one.openIds()).toEqual(open);
    }
    expect(all.length).toBeGreaterThan(256);
    expect(two.verify()).toMatchObject({ ok: true, size: all.length });
  });

  it('refuse an id that is above all others, or that our own source gives out again', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    for (const id of ['zz', '\u{1f600}', '\uffff', 'a']) {
      await ledger.append(draft(0, { id }));
      await expect(ledger.append(draft(0, { id }))).rejects.toMatchObject({ code: 'CONFLICT' });
    }
    const { id } = await ledger.append(draft(1));
    await using again = await openLedger({ path: folder.path, key: folder.key, env: systemEnv(), ids: () => id });
    await expect(again.append(draft(1))).rejects.toMatchObject({ code: 'CONFLICT' });
    const [first, second] = await Promise.allSettled([
      ledger.append(draft(0, { id: 'same' })),
      ledger.append(draft(0, { id: 'same' })),
    ]);
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
  });
});
