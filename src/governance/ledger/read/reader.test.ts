import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { draft, fill, ledgerFolder } from '../../../../test/support/ledger.ts';
import type { Entry } from '../../../schemas/index.ts';
import { verifierKeyLine, verifyExport } from '../index.ts';
import { parseVerifierKey, verifyConsistency, verifyTlogProof } from '../verifier/index.ts';

describe('query', () => {
  const facets = (entry: Entry): unknown[] => [entry.run, entry.agent, entry.kind];

  it('finds the same as looking at every entry, across blocks and ledgers', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    await using other = await folder.open();
    await fill(ledger, 400);
    await ledger.append({ kind: 'violation', agent: 'rare', body: {}, parent: 'p' });
    await fill(other, 300, 400);
    await other.append({ kind: 'violation', agent: 'agent-1', run: 'run-1', body: {}, parent: 'p' });
    const all = ledger.query({ limit: 10_000 });
    expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 702 }, (_, i) => i));

    const cases = [
      { run: 'run-1' },
      { agent: 'rare' },
      { agent: 'agent-1', run: 'run-1' },
      { kinds: ['violation'] },
      { kinds: ['violation', 'intent'], agent: 'agent-1' },
      { parent: 'p' },
      { parent: 'p', run: 'run-1' },
      { run: 'nobody' },
      { kinds: [] },
    ] as const;
    for (const query of cases) {
      for (const after of [-1, 255, 256, 500]) {
        const expected = all.filter(
          (entry) =>
            entry.seq > after &&
            (!('run' in query) || entry.run === query.run) &&
            (!('agent' in query) || entry.agent === query.agent) &&
            (!('parent' in query) || entry.parent === query.parent) &&
            (!('kinds' in query) || (query.kinds as readonly string[]).includes(entry.kind)),
        );
        const at = JSON.stringify([query, after]);
        expect(ledger.query({ ...query, after, limit: 10_000 }).map(facets), at).toEqual(expected.map(facets));
        expect(ledger.query({ ...query, after, limit: 3 }), at).toEqual(expected.slice(0, 3));
        expect(ledger.query({ ...query, after, limit: 3, newestFirst: true }), at).toEqual(
          expected.toReversed().slice(0, 3),
        );
      }
    }
  });
});

describe('proofs', () => {
  it('prove every entry, and every older size, under the newest head', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    const heads = [];
    for (const more of [1, 2, 300, 210, 7]) {
      await fill(ledger, more);
      heads.push(ledger.head());
    }
    const { size, root } = ledger.head();
    for (const seq of [0, 1, 2, 255, 256, 400, size - 1]) {
      const proof = ledger.proveInclusion(seq);
      expect(verifyTlogProof(proof, ledger.bytes(seq) as Uint8Array, [folder.key])).toMatchObject({
        ok: true,
        value: { index: seq, checkpoint: { size } },
      });
    }
    for (const old of heads) {
      const claim = { oldSize: old.size, oldRoot: Buffer.from(old.root, 'hex'), newSize: size };
      const proof = ledger.proveConsistency(old.size, size);
      expect(verifyConsistency({ ...claim, newRoot: Buffer.from(root, 'hex'), proof })).toBe(true);
      expect(ledger.verify(old.note)).toMatchObject({ ok: true });
    }
    const [first, second] = [heads[1], heads[2]];
    expect(ledger.proveConsistency(first?.size ?? 0, second?.size ?? 0).length).toBeGreaterThan(0);
  });

  it('refuses what there is not', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    await fill(ledger, 2);
    for (const seq of [-1, 2, 0.5, Number.NaN]) {
      expect(() => ledger.proveInclusion(seq)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    }
    for (const [from, to] of [
      [2, 1],
      [1, 3],
      [-1, 1],
    ] as const) {
      expect(() => ledger.proveConsistency(from, to)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    }
  });
});

describe('follow', () => {
  it('yields appends of this and of other ledgers, in order, until told to stop', async () => {
    using folder = ledgerFolder();
    await using mine = await folder.open();
    await using theirs = await folder.open();
    await fill(mine, 2);
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { seq } of mine.follow(stop.signal)) {
        seen.push(seq);
        if (seen.length === 3) await theirs.append(draft(9));
        if (seen.length === 4) stop.abort();
      }
    })();
    await fill(mine, 3);
    await following;
    expect(seen).toEqual([2, 3, 4, 5]);
  });

  it('begins where it is told, and ends with the ledger', async () => {
    using folder = ledgerFolder();
    const ledger = await folder.open();
    await fill(ledger, 3);
    const seen: number[] = [];
    for await (const { seq } of ledger.follow(new AbortController().signal, 0)) {
      seen.push(seq);
      if (seq === 2) void ledger[Symbol.asyncDispose]();
    }
    expect(seen).toEqual([1, 2]);
  });
});

describe('export', () => {
  it('writes a log that verifies without the ledger, and grows in place', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    const dir = mkdtempSync(join(folder.dir, 'export-'));
    const parsed = parseVerifierKey(verifierKeyLine(folder.key));
    const keys = parsed.ok ? [parsed.value] : [];
    for (const [more, files] of [
      [0, 1],
      [300, 6],
      [400, 8],
    ] as const) {
      await fill(ledger, more);
      const progress: number[][] = [];
      const done = await ledger.exportTo(dir, (...step) => progress.push(step));
      expect(done).toEqual({ files, entries: ledger.head().size });
      if (more > 0) expect(progress.at(-1)).toEqual([done.entries, done.entries]);
      expect(readFileSync(join(dir, 'checkpoint'), 'utf8')).toBe(ledger.head().note);
      expect(verifyExport(dir, keys)).toMatchObject({ ok: true, size: done.entries, root: ledger.head().root });
    }
    expect(statSync(join(dir, 'tile/0/001')).size).toBe(8192);
    expect(statSync(join(dir, 'tile/1/000.p/2')).size).toBe(64);
    const bundle = readFileSync(join(dir, 'tile/entries/002.p/188'));
    const length = bundle.readUInt16BE(0);
    expect(bundle.subarray(2, 2 + length)).toEqual(Buffer.from(ledger.bytes(512) as Uint8Array));
  });
});
