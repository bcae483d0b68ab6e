import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeEnv } from '../../../test/support/fake-env.ts';
import { draft, fill, ledgerFolder } from '../../../test/support/ledger.ts';
import { canonicalJson } from '../../kernel/index.ts';
import { entrySchema } from '../../schemas/index.ts';
import { publicKeyPem } from './index.ts';
import { readWitness, writeWitness } from './publish/index.ts';
import { hashLeaf } from './verifier/index.ts';

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

  it('refuses what rests on an entry that did not get there, and all that rests on that', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    await ledger.append(draft(0, { id: 'first', claim: 'once' }));
    const answers = await Promise.allSettled([
      ledger.append(draft(1, { id: 'second', after: ['first'] })),
      ledger.append(draft(2, { id: 'refused', claim: 'once' })),
      ledger.append(draft(3, { id: 'third', after: ['first', 'refused'] })),
      ledger.append(draft(4, { after: ['third'] })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    expect(answers[3]).toMatchObject({ reason: { code: 'CONFLICT' } });
    await expect(ledger.append(draft(5, { id: 'own', after: ['own'] }))).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(ledger.verify()).toMatchObject({ ok: true, size: 2 });
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
