import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { draft, fill, type LedgerFolder, ledgerFolder } from '../../../test/support/ledger.ts';
import { loadOrCreateKey } from './index.ts';
import { formatCheckpoint, growTree, hashLeaf, type VerifyReport } from './verifier/index.ts';

const size = 700;
let folder: LedgerFolder;
let clean: string;
/** Heads as somebody kept them: at size 300 and at the end. */
let early: string;
let late: string;

beforeAll(async () => {
  folder = ledgerFolder();
  clean = join(folder.dir, 'clean.db');
  {
    await using ledger = await folder.open();
    await Promise.all([fill(ledger, 40), ledger.append(draft(40, { parent: 'above' })), fill(ledger, 259, 41)]);
    early = ledger.head().note;
    await fill(ledger, size - 300, 300);
    late = ledger.head().note;
  }
  cpSync(folder.path, clean);
});
afterAll(() => folder[Symbol.dispose]());

interface Tampered {
  readonly report: VerifyReport;
  readonly openError: unknown;
}

/** Does `harm` to a copy of the clean file, as one who can write it but has no key, and asks both ways in. */
async function tamper(harm: (db: DatabaseSync) => void, savedHead?: string): Promise<Tampered> {
  for (const suffix of ['-wal', '-shm']) rmSync(folder.path + suffix, { force: true });
  cpSync(clean, folder.path);
  const db = new DatabaseSync(folder.path);
  harm(db);
  db.close();
  let openError: unknown;
  try {
    await using _ = await folder.open();
  } catch (error) {
    openError = error;
  }
  await using ledger = await folder.openReadOnly();
  return { report: ledger.verify(savedHead), openError };
}

const bytesOf = (db: DatabaseSync, seq: number): Buffer =>
  Buffer.from(db.prepare('SELECT bytes FROM entries WHERE seq = ?').get(seq)?.['bytes'] as Uint8Array);
const setBytes = (db: DatabaseSync, seq: number, bytes: Uint8Array): unknown =>
  db.prepare('UPDATE entries SET bytes = ? WHERE seq = ?').run(bytes, seq);
const setLeaf = (db: DatabaseSync, seq: number, leaf: Uint8Array): unknown =>
  db.prepare('UPDATE entries SET leaf = ? WHERE seq = ?').run(leaf, seq);
const problemsOf = ({ report }: Tampered): readonly object[] => (report.ok ? [] : report.problems);

/** Rewrites an entry, its leaf and every tile above it: all that can be done without the key. */
function forge(db: DatabaseSync, seq: number, bytes: Uint8Array): void {
  setBytes(db, seq, bytes);
  setLeaf(db, seq, hashLeaf(bytes));
  const write = db.prepare('INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)');
  const tree = growTree(undefined, (level, index, hashes) => void write.run(level, index, hashes));
  for (const row of db.prepare('SELECT leaf FROM entries ORDER BY seq').all()) tree.push(row['leaf'] as Uint8Array);
}

function remove(db: DatabaseSync, seq: number): void {
  db.prepare('DELETE FROM entries WHERE seq = ?').run(seq);
}

describe('the untouched log', () => {
  it('verifies, also against heads saved on the way', async () => {
    for (const head of [early, late]) {
      expect(await tamper(() => {}, head)).toMatchObject({ report: { ok: true, size }, openError: undefined });
    }
  });
});

describe('an entry', () => {
  it.each([0, 5, 255, 256, 690, size - 1])('%i with any one byte flipped is found', async (seq) => {
    const length = bytesOf(new DatabaseSync(clean), seq).length;
    for (const at of [0, Math.floor(length / 3), length - 1]) {
      const harmed = await tamper((db) => {
        const bytes = bytesOf(db, seq);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        setBytes(db, seq, bytes);
      });
      expect(problemsOf(harmed)).toEqual([expect.objectContaining({ kind: 'entry-changed', seq })]);
    }
  });

  it('is not handed out once its bytes are changed', async () => {
    await tamper((db) => setBytes(db, 7, Buffer.from('{"seq":7}')));
    await using ledger = await folder.openReadOnly();
    expect(() => ledger.get(7)).toThrow(expect.objectContaining({ code: 'LEDGER_BROKEN' }));
    expect(() => ledger.query({ limit: 10 })).toThrow(expect.objectContaining({ code: 'LEDGER_BROKEN' }));
  });

  it.each([3, 400, 690])('%i rewritten with its leaf, and with its tiles, is found', async (seq) => {
    const changed = (db: DatabaseSync): Buffer => Buffer.from(bytesOf(db, seq).toString().replace('"T1"', '"T2"'));
    const withLeaf = await tamper((db) => {
      const bytes = changed(db);
      setBytes(db, seq, bytes);
      setLeaf(db, seq, hashLeaf(bytes));
    });
    // Where a full tile covers it, the very entry; on the edge of the log, the entries under the head that differs.
    const [first] = problemsOf(withLeaf);
    if (seq < 512) expect(first).toMatchObject({ kind: 'tile-changed', level: 0, seq });
    else expect(first).toMatchObject({ kind: 'head-differs', to: size - 1 });

    const withAll = await tamper((db) => forge(db, seq, changed(db)));
    expect(withAll.openError).toMatchObject({ code: 'LEDGER_BROKEN', why: expect.stringContaining('last entries') });
    const [only] = problemsOf(withAll) as { kind: string; seq: number; to: number }[];
    expect(only?.kind).toBe('head-differs');
    expect(only?.seq).toBeLessThanOrEqual(seq);
    expect(only?.to).toBeGreaterThanOrEqual(seq);
  });

  it.each([0, 300, 650])('%i removed from the middle is found', async (seq) => {
    const harmed = await tamper((db) => remove(db, seq));
    expect(problemsOf(harmed)[0]).toMatchObject({ kind: 'entry-missing', seq, to: seq });
  });

  it('removed, the later ones moved up, is found by what the next one says of itself', async () => {
    const harmed = await tamper((db) => {
      remove(db, 690);
      db.exec('UPDATE entries SET seq = seq - 1 WHERE seq > 690');
    });
    expect(problemsOf(harmed)[0]).toMatchObject({ kind: 'entry-misplaced', seq: 690, found: '691' });
    expect(harmed.openError).toMatchObject({ code: 'LEDGER_BROKEN' });
  });

  it('removed from the end is found by the head', async () => {
    const harmed = await tamper((db) => remove(db, size - 1));
    expect(problemsOf(harmed)).toEqual([
      expect.objectContaining({ kind: 'log-cut', seq: size - 1, to: size - 1, saved: false }),
    ]);
    expect(harmed.openError).toMatchObject({ code: 'LEDGER_BROKEN' });
  });

  it('swapped with another is found in both places', async () => {
    const harmed = await tamper((db) => {
      const [a, b] = [bytesOf(db, 600), bytesOf(db, 601)];
      for (const [seq, bytes] of [
        [600, b],
        [601, a],
      ] as const) {
        setBytes(db, seq, bytes);
        setLeaf(db, seq, hashLeaf(bytes));
      }
    });
    expect(problemsOf(harmed).slice(0, 2)).toMatchObject([
      { kind: 'entry-misplaced', seq: 600, found: '601' },
      { kind: 'entry-misplaced', seq: 601, found: '600' },
    ]);
  });

  it('stored twice is found', async () => {
    const harmed = await tamper((db) =>
      db.exec(
        `INSERT INTO entries SELECT ${size}, 'copy', parent, kind, run, agent, at, leaf, bytes, opens, closes
          FROM entries WHERE seq = 5`,
      ),
    );
    expect(problemsOf(harmed)).toMatchObject([
      { kind: 'entry-misplaced', seq: size, found: '5' },
      { kind: 'entry-unsigned', seq: size, to: size },
    ]);
    expect(harmed.openError).toMatchObject({ code: 'LEDGER_BROKEN' });
  });

  it('added without a signature is found', async () => {
    const harmed = await tamper((db) => {
      const bytes = Buffer.from(bytesOf(db, 5).toString().replace('"seq":5', `"seq":${size}`));
      db.prepare(
        `INSERT INTO entries SELECT ${size}, id || 'x', parent, kind, run, agent, at, ?, ?, opens, closes
          FROM entries WHERE seq = 5`,
      ).run(hashLeaf(bytes), bytes);
    });
    expect(problemsOf(harmed)).toContainEqual(expect.objectContaining({ kind: 'entry-unsigned', seq: size }));
  });

  it.each(['id', 'parent', 'kind', 'run', 'agent', 'at'])('filed under another %s is found', async (column) => {
    const value = column === 'at' ? '1' : "'other'";
    const harmed = await tamper((db) => db.exec(`UPDATE entries SET ${column} = ${value} WHERE seq = 12`));
    expect(problemsOf(harmed)).toEqual([expect.objectContaining({ kind: 'column-changed', seq: 12, column })]);
  });
});

describe('what stands beside the entries', () => {
  it.each([5, 690])('a stored leaf hash %i that was changed is told from a changed entry', async (seq) => {
    const harmed = await tamper((db) => setLeaf(db, seq, hashLeaf(Buffer.from('x'))));
    expect(problemsOf(harmed)).toEqual([expect.objectContaining({ kind: 'leaf-changed', seq })]);
  });

  it.each([
    [0, 1, 300, 44],
    [1, 0, 256, 1],
  ])('a hash in a tile of level %i is found', async (level, index, seq, at) => {
    const harmed = await tamper((db) => {
      const row = db.prepare('SELECT hashes FROM tiles WHERE level = ? AND idx = ?').get(level, index);
      const hashes = Buffer.from(row?.['hashes'] as Uint8Array);
      hashes[at * 32 + 31] = (hashes[at * 32 + 31] ?? 0) ^ 0x80;
      db.prepare('UPDATE tiles SET hashes = ? WHERE level = ? AND idx = ?').run(hashes, level, index);
    });
    expect(problemsOf(harmed)).toEqual([expect.objectContaining({ kind: 'tile-changed', level, index, seq })]);
  });

  it('a missing tile is found', async () => {
    const harmed = await tamper((db) => db.exec('DELETE FROM tiles WHERE level = 0 AND idx = 1'));
    expect(problemsOf(harmed)).toEqual([expect.objectContaining({ kind: 'tile-changed', seq: 256 })]);
  });

  it('a search that no longer finds an entry, and a count that is wrong, are found', async () => {
    const hidden = await tamper((db) => db.exec("DELETE FROM facets WHERE facet = 'a/agent-3' AND block = 1"));
    expect(problemsOf(hidden)).toEqual([expect.objectContaining({ kind: 'index-changed', seq: 258 })]);
    const miscounted = await tamper((db) => db.exec("UPDATE counts SET entries = 1 WHERE kind = 'intent'"));
    expect(problemsOf(miscounted)).toEqual([expect.objectContaining({ kind: 'index-changed' })]);
  });

  it.each([
    ['ids', 'id'],
    ['children', 'parent'],
  ])('a row of %s that is gone, points elsewhere, or is one too many is found', async (table, column) => {
    const at = (seq: number) => `(SELECT ${column} FROM entries WHERE seq = ${seq})`;
    for (const harm of [
      `DELETE FROM ${table} WHERE ${column} = ${at(40)} AND seq = 40`,
      `UPDATE ${table} SET seq = 41 WHERE ${column} = ${at(40)} AND seq = 40`,
      `INSERT INTO ${table} VALUES ('nobody', 40)`,
    ]) {
      const harmed = await tamper((db) => db.exec(harm));
      expect(problemsOf(harmed), harm).toEqual([expect.objectContaining({ kind: 'index-changed' })]);
    }
  });
});

describe('a head', () => {
  it('altered in size or root no longer carries its signature', async () => {
    for (const [from, to] of [
      [`\n${size}\n`, `\n${size + 1}\n`],
      [/\n[A-Za-z0-9+/]/, '\n_'],
    ] as const) {
      const harmed = await tamper((db) => {
        const note = db.prepare('SELECT note FROM heads WHERE size = ?').get(size)?.['note'] as string;
        db.prepare('UPDATE heads SET note = ? WHERE size = ?').run(note.replace(from, to), size);
      });
      expect(problemsOf(harmed)[0]).toMatchObject({ kind: 'head-invalid' });
      expect(harmed.openError).toMatchObject({ code: 'LEDGER_BROKEN' });
    }
  });

  it('forged with another key of the same name is refused', async () => {
    const thief = loadOrCreateKey(join(folder.dir, 'thief.key'), 'example.com/test');
    const note = thief.sign(formatCheckpoint({ origin: 'example.com/test', size, root: hashLeaf(Buffer.from('x')) }));
    const harmed = await tamper((db) => db.prepare('UPDATE heads SET note = ? WHERE size = ?').run(note, size));
    expect(problemsOf(harmed)[0]).toMatchObject({ kind: 'head-invalid', seq: size });
    expect(harmed.openError).toMatchObject({ code: 'KEY_INVALID' });
  });

  it('all heads removed is found', async () => {
    const harmed = await tamper((db) => db.exec('DELETE FROM heads'));
    expect(problemsOf(harmed)[0]).toMatchObject({ kind: 'head-invalid' });
    expect(harmed.openError).toMatchObject({ code: 'LEDGER_BROKEN' });
  });
});

describe('a log cut back to an older head', () => {
  /** What is left is, to the last byte, a log that was once true: only a head kept elsewhere shows the difference. */
  const cut = (db: DatabaseSync): void => {
    db.exec(`DELETE FROM entries WHERE seq >= 300; DELETE FROM heads WHERE size > 300; DELETE FROM tiles;
      DELETE FROM facets WHERE block > 1; DELETE FROM ids WHERE seq >= 288; DELETE FROM children WHERE seq >= 288;
      DELETE FROM counts; INSERT INTO counts SELECT kind, count(*) FROM entries WHERE seq < 288 GROUP BY kind;`);
    const write = db.prepare('INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)');
    const tree = growTree(undefined, (level, index, hashes) => void write.run(level, index, hashes));
    for (const row of db.prepare('SELECT leaf FROM entries ORDER BY seq').all()) tree.push(row['leaf'] as Uint8Array);
    db.prepare('INSERT OR REPLACE INTO heads VALUES (300, ?)').run(early);
  };

  it('is true by itself, and found by the head that was saved', async () => {
    expect(await tamper(cut)).toMatchObject({ report: { ok: true, size: 300 } });
    const found = await tamper(cut, late);
    expect(problemsOf(found)).toEqual([
      expect.objectContaining({ kind: 'log-cut', seq: 300, to: size - 1, size, saved: true }),
    ]);
  });

  it('is found by the witness, which also keeps it from being continued', async () => {
    writeFileSync(folder.witness, late);
    await tamper(cut);
    await using reader = await folder.openReadOnly({ witness: folder.witness });
    expect(reader.verify()).toMatchObject({ ok: false, problems: [{ kind: 'log-cut', saved: true }] });
    await expect(folder.open({ witness: folder.witness })).rejects.toMatchObject({
      code: 'LEDGER_BROKEN',
      why: `It holds 300 entries, but a head saved outside the project covers ${size}.`,
    });
  });
});
