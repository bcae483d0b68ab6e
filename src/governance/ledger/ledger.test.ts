import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { draft, fill, ledgerFolder } from '../../../test/support/ledger.ts';
import { canonicalJson } from '../../kernel/index.ts';
import { type Entry, entrySchema } from '../../schemas/index.ts';
import { publicKeyPem, verifierKeyLine, verifyExport } from './index.ts';
import { readWitness, writeWitness } from './publish/index.ts';
import { hashLeaf, parseVerifierKey, verifyConsistency, verifyTlogProof } from './verifier/index.ts';

describe('append', () => {
  it('gives a receipt for what it has stored', async () => {
    using folder = ledgerFolder();
    const env = fakeEnv({ now: Date.UTC(2026, 0, 2, 3, 4, 5, 678) });
    await using ledger = await folder.open({ env });
    const receipt = await ledger.append({ ...draft(1), parent: 'above', artifacts: [] });
    expect(receipt).toMatchObject({ seq: 0, at: '2026-01-02T03:04:05.678Z' });

    const entry = ledger.get(0);
    expect(entry).toEqual(ledger.byId(receipt.id));
    expect(entrySchema.parse(entry)).toMatchObject({ v: 1, seq: 0, at: receipt.at, id: receipt.id, parent: 'above' });
    const bytes = ledger.bytes(0) as Uint8Array;
    expect(Buffer.from(bytes).toString()).toBe(canonicalJson(entry));
    expect(Buffer.from(hashLeaf(bytes)).toString('hex')).toBe(receipt.leaf);
    expect(ledger.get(1)).toBeUndefined();
    expect(ledger.byId('nobody')).toBeUndefined();
  });

  it('numbers a burst in order, under one head, and goes on after reopening', async () => {
    using folder = ledgerFolder();
    {
      await using ledger = await folder.open();
      const receipts = await Promise.all(Array.from({ length: 300 }, (_, i) => ledger.append(draft(i))));
      expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 300 }, (_, i) => i));
      expect(ledger.stats()).toMatchObject({ entries: 300, heads: 2, byKind: { intent: 150, outcome: 150 } });
    }
    await using ledger = await folder.open();
    expect((await ledger.append(draft(300))).seq).toBe(300);
    expect(ledger.head()).toMatchObject({ origin: 'example.com/test', size: 301 });
    expect(ledger.verify()).toMatchObject({ ok: true, size: 301, root: ledger.head().root });
  });

  it('keeps the last head of each block of 256', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    for (let n = 0; n < 520; n += 20) await fill(ledger, 20, n);
    // Of 0 to 255: size 240; of 256 to 511: size 500; and the newest.
    expect(ledger.stats().heads).toBe(3);
    expect(ledger.verify()).toMatchObject({ ok: true, heads: 3 });
  });

  it('accepts a claim once, and lets the rest of the batch pass', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    const answers = await Promise.allSettled([
      ledger.append(draft(0, { claim: 'approval:1' })),
      ledger.append(draft(1, { claim: 'approval:1' })),
      ledger.append(draft(2)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: { code: 'LEDGER_CLAIMED' } });
    expect(answers[2]).toMatchObject({ value: { seq: 1 } });
    await expect(ledger.append(draft(3, { claim: 'approval:1' }))).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
    expect(ledger.verify()).toMatchObject({ ok: true, size: 2 });
  });

  it('opens an entry and closes it once', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    const first = await ledger.append(draft(0, { opens: true }));
    const second = await ledger.append(draft(1, { opens: true }));
    expect(ledger.openIds()).toEqual([first.id, second.id]);
    await ledger.append(draft(2, { closes: first.id, parent: first.id }));
    expect(ledger.openIds()).toEqual([second.id]);
    await expect(ledger.append(draft(3, { closes: first.id }))).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
    await expect(ledger.append(draft(3, { closes: 'nobody' }))).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
    expect(ledger.stats()).toMatchObject({ entries: 3, open: 1 });
  });

  it('leaves no trace of a refused append: neither claim nor closing nor number', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    const { id } = await ledger.append(draft(0, { id: 'one', opens: true }));
    await expect(ledger.append(draft(1, { id, claim: 'c', closes: id }))).rejects.toMatchObject({ code: 'CONFLICT' });
    const large = draft(1, { claim: 'c', closes: id, body: { text: 'é'.repeat(40_000) } });
    await expect(ledger.append(large)).rejects.toMatchObject({ code: 'ENTRY_TOO_LARGE' });
    expect(ledger.openIds()).toEqual([id]);
    expect(await ledger.append(draft(1, { claim: 'c', closes: id }))).toMatchObject({ seq: 1 });
  });

  it('stores an entry of exactly 65,535 bytes and refuses one more', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    await ledger.append({ kind: 'run', body: { text: '' } });
    const room = 65_535 - (ledger.bytes(0) as Uint8Array).length;
    await expect(ledger.append({ kind: 'run', body: { text: 'x'.repeat(room + 1) } })).rejects.toMatchObject({
      code: 'ENTRY_TOO_LARGE',
    });
    await ledger.append({ kind: 'run', body: { text: 'x'.repeat(room) } });
    expect(ledger.bytes(1)).toHaveLength(65_535);
    expect(ledger.verify()).toMatchObject({ ok: true, size: 2 });
  });

  it('refuses a body without canonical JSON', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    await expect(ledger.append({ kind: 'run', body: { n: Number.NaN } })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(ledger.head().size).toBe(0);
  });

  it('answers everything appended before it is closed, and refuses what comes after', async () => {
    using folder = ledgerFolder();
    const ledger = await folder.open();
    const last = ledger.append(draft(0));
    await Promise.all([ledger[Symbol.asyncDispose](), ledger[Symbol.asyncDispose]()]);
    expect((await last).seq).toBe(0);
    await expect(ledger.append(draft(1))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
  });
});

describe('several ledgers on one file', () => {
  it('interleave without a gap, each seeing the other', async () => {
    using folder = ledgerFolder();
    await using a = await folder.open();
    await using b = await folder.open();
    const seqs: number[] = [];
    for (let n = 0; n < 20; n++) {
      const first = await a.append(draft(n, { claim: `once-${n}` }));
      const second = await b.append(draft(n));
      const together = await Promise.all([a.append(draft(n)), b.append(draft(n))]);
      seqs.push(...[first, second, ...together].map(({ seq }) => seq));
    }
    expect(seqs.sort((x, y) => x - y)).toEqual(Array.from({ length: 80 }, (_, i) => i));
    await expect(b.append(draft(0, { claim: 'once-7' }))).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
    expect(a.head()).toEqual(b.head());
    expect(b.verify()).toMatchObject({ ok: true, size: 80 });
  });

  it('read-only ones see what is appended, and append nothing', async () => {
    using folder = ledgerFolder();
    await using writer = await folder.open();
    await using reader = await folder.openReadOnly();
    await fill(writer, 3);
    expect(reader.query({})).toHaveLength(3);
    expect(reader.verify()).toMatchObject({ ok: true, size: 3 });
    await expect(reader.append(draft(0))).rejects.toMatchObject({ code: 'NOT_WRITABLE' });
  });
});

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

describe('files', () => {
  it('are for their owner alone', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open({ witness: folder.witness });
    await fill(ledger, 1);
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(['', '-wal', '-shm'].map((suffix) => mode(folder.path + suffix))).toEqual(['600', '600', '600']);
    expect(mode(join(folder.dir, 'project'))).toBe('700');
    expect(mode(join(folder.dir, 'keys', 'ledger.key'))).toBe('600');
    await ledger[Symbol.asyncDispose]();
    expect(mode(folder.witness)).toBe('600');
  });

  it('the write-ahead log is emptied and the head saved outside once it is quiet', async () => {
    using folder = ledgerFolder();
    const env = fakeEnv();
    await using ledger = await folder.open({ env, witness: folder.witness });
    await fill(ledger, 50);
    const before = statSync(folder.path).size;
    expect(() => readFileSync(folder.witness)).toThrow();
    env.advance(1000);
    expect(statSync(folder.path).size).toBeGreaterThan(before);
    expect(readFileSync(folder.witness, 'utf8')).toBe(ledger.head().note);
  });

  it('the head saved outside is never replaced by an older one', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    const older = ledger.head().note;
    await fill(ledger, 3);
    writeWitness(folder.witness, ledger.head().note, fakeEnv());
    writeWitness(folder.witness, older, fakeEnv());
    expect(readWitness(folder.witness)).toBe(ledger.head().note);
  });

  it('give the public key to openssl', () => {
    using folder = ledgerFolder();
    expect(publicKeyPem(folder.key)).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
  });
});
