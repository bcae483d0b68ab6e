import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { draft, fill, ledgerFolder } from '../../../../test/support/ledger.ts';
import { verifyExport } from '../index.ts';
import { formatCheckpoint, hashLeaf, type VerifierKey, type VerifyReport } from '../verifier/index.ts';

const size = 700;

describe('an exported folder', () => {
  const harmFile = (dir: string, key: VerifierKey, name: string, harm: (bytes: Buffer) => Buffer): VerifyReport => {
    const path = join(dir, name);
    const before = readFileSync(path);
    writeFileSync(path, harm(Buffer.from(before)));
    const report = verifyExport(dir, [key]);
    writeFileSync(path, before);
    return report;
  };

  it('shows where an entry, a tile or the checkpoint was changed or cut', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    await fill(ledger, 300);
    const early = ledger.head().note;
    await fill(ledger, size - 300, 300);
    const dir = mkdtempSync(join(folder.dir, 'export-'));
    await ledger.exportTo(dir);
    expect(verifyExport(dir, [folder.key], [early])).toMatchObject({ ok: true, size, heads: 2 });

    const flip = (at: number) => (bytes: Buffer) => {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes;
    };
    expect(harmFile(dir, folder.key, 'tile/entries/001', flip(100))).toMatchObject({
      problems: expect.arrayContaining([expect.objectContaining({ kind: 'tile-changed', level: 0, seq: 256 })]),
    });
    expect(harmFile(dir, folder.key, 'tile/0/001', flip(32))).toMatchObject({
      problems: [{ kind: 'tile-changed', seq: 257 }],
    });
    expect(harmFile(dir, folder.key, 'tile/1/000.p/2', flip(32))).toMatchObject({
      problems: [{ kind: 'tile-changed', seq: 256 }],
    });
    expect(harmFile(dir, folder.key, 'checkpoint', flip(20))).toMatchObject({ problems: [{ kind: 'head-invalid' }] });
    expect(harmFile(dir, folder.key, 'tile/entries/002.p/188', (bytes) => bytes.subarray(0, 1000))).toMatchObject({
      ok: false,
    });
    const shorter = (bytes: Buffer): Buffer =>
      bytes.subarray(0, bytes.length - 2 - (ledger.bytes(size - 1)?.length ?? 0));
    expect(harmFile(dir, folder.key, 'tile/entries/002.p/188', shorter)).toMatchObject({
      problems: expect.arrayContaining([expect.objectContaining({ kind: 'log-cut', seq: size - 1 })]),
    });
    expect(verifyExport(join(folder.dir, 'nowhere'), [folder.key])).toMatchObject({ ok: false });
  });
});

describe('a log rewritten by one who has the key', () => {
  it('is found by any head saved before', async () => {
    using rewritten = ledgerFolder();
    await using ledger = await rewritten.open();
    await ledger.append(draft(1));
    const saved = ledger.head().note;
    await ledger[Symbol.asyncDispose]();
    const db = new DatabaseSync(rewritten.path);
    const recorded = Buffer.from(db.prepare('SELECT bytes FROM entries').get()?.['bytes'] as Uint8Array);
    const bytes = Buffer.from(recorded.toString().replace('"T1"', '"T0"'));
    db.prepare('UPDATE entries SET bytes = ?, leaf = ?').run(bytes, hashLeaf(bytes));
    const note = rewritten.key.sign(formatCheckpoint({ origin: rewritten.key.name, size: 1, root: hashLeaf(bytes) }));
    db.prepare('UPDATE heads SET note = ? WHERE size = 1').run(note);
    db.close();

    await using again = await rewritten.open();
    expect(again.verify()).toMatchObject({ ok: true });
    expect(again.verify(saved)).toMatchObject({
      ok: false,
      problems: [{ kind: 'head-differs', seq: 0, to: 0, size: 1, saved: true }],
    });
    writeFileSync(rewritten.witness, saved);
    await expect(rewritten.open({ witness: rewritten.witness })).rejects.toMatchObject({ code: 'LEDGER_BROKEN' });
  });

  it('is written through no link that lies in it', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open();
    await fill(ledger, 10);
    const [dir, elsewhere] = [mkdtempSync(join(folder.dir, 'export-')), mkdtempSync(join(folder.dir, 'other-'))];
    const precious = join(elsewhere, 'agov.yaml');
    writeFileSync(precious, 'precious');
    symlinkSync(precious, join(dir, 'checkpoint.new'));
    symlinkSync(precious, join(dir, 'checkpoint'));
    await ledger.exportTo(dir);
    expect(verifyExport(dir, [folder.key])).toMatchObject({ ok: true, size: 10 });
    rmSync(join(dir, 'tile'), { recursive: true });
    symlinkSync(elsewhere, join(dir, 'tile'));
    await expect(ledger.exportTo(dir)).rejects.toMatchObject({ code: 'NOT_WRITABLE' });
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    const through = join(folder.dir, 'through');
    symlinkSync(mkdtempSync(join(folder.dir, 'target-')), through);
    await ledger.exportTo(through);
    expect(verifyExport(through, [folder.key])).toMatchObject({ ok: true });
  });
});
