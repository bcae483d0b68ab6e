import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { draft, type LedgerFolder, ledgerFolder } from '../../../test/support/ledger.ts';
import { idSource, systemEnv } from '../../kernel/index.ts';
import { openLedger } from './index.ts';
import { hashLeaf } from './verifier/index.ts';

const crashes = Number(process.env['AGOV_CRASHES'] ?? 8);
const writer = join(import.meta.dirname, '../../../test/support/ledger-writer.ts');

interface Writer {
  readonly child: ChildProcess;
  /** What it has printed so far: seq and leaf of each receipt. */
  readonly receipts: () => [seq: number, leaf: string][];
  /** Resolves after `count` receipts. */
  readonly reached: (count: number) => Promise<void>;
  readonly ended: Promise<unknown>;
}

function startWriter(folder: LedgerFolder, count: number, atOnce: number): Writer {
  const args = [writer, folder.path, join(folder.dir, 'keys', 'ledger.key'), String(count), String(atOnce)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  const receipts = (): [number, string][] =>
    // A line without its end was cut off by the kill.
    printed
      .split('\n')
      .slice(0, -1)
      .map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
  });
  return {
    child,
    receipts,
    ended: once(child, 'close'),
    async reached(wanted) {
      while (receipts().length < wanted) await once(child.stdout, 'data');
    },
  };
}

describe('a writer killed at any moment', () => {
  it(`has kept every entry that it gave a receipt for, ${crashes} times over`, async () => {
    using folder = ledgerFolder();
    const acknowledged = new Map<number, string>();
    for (let crash = 0; crash < crashes; crash++) {
      const process = startWriter(folder, 1_000_000, crash % 2 === 0 ? 1 : 16);
      await process.reached(randomInt(1, 60));
      process.child.kill('SIGKILL');
      await process.ended;
      for (const [seq, leaf] of process.receipts()) acknowledged.set(seq, leaf);
    }
    await using ledger = await folder.open();
    expect(acknowledged.size).toBeGreaterThanOrEqual(crashes);
    expect(ledger.verify()).toMatchObject({ ok: true });
    const leafOf = (seq: number): string => Buffer.from(hashLeaf(ledger.bytes(seq) as Uint8Array)).toString('hex');
    const leaves = new Map([...acknowledged.keys()].map((seq) => [seq, leafOf(seq)]));
    expect(leaves).toEqual(acknowledged);
    expect((await ledger.append(draft(0))).seq).toBe(ledger.head().size - 1);
  });
});

describe('twenty processes at once', () => {
  it('append without losing, repeating or reordering anything', async () => {
    using folder = ledgerFolder();
    const writers = Array.from({ length: 20 }, () => startWriter(folder, 20, 4));
    await Promise.all(writers.map(({ ended }) => ended));
    const seqs = writers.flatMap(({ receipts }) => receipts().map(([seq]) => seq));
    expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    await using ledger = await folder.open();
    expect(ledger.verify()).toMatchObject({ ok: true, size: 400 });
  });
});

describe('power failure', () => {
  it('loses nothing that was acknowledged before the part of the write-ahead log that did not reach the disk', async () => {
    using folder = ledgerFolder();
    const env = systemEnv();
    await using ledger = await folder.open();
    const wal = `${folder.path}-wal`;
    const marks: { length: number; size: number; note: string }[] = [];
    for (let n = 0; n < 12; n++) {
      await Promise.all(Array.from({ length: 1 + (n % 5) }, (_, i) => ledger.append(draft(i))));
      const { size, note } = ledger.head();
      marks.push({ length: readFileSync(wal).length, size, note });
    }
    for (const [i, { length, size, note }] of marks.entries()) {
      const next = marks[i + 1]?.length ?? length;
      for (const keep of [length, Math.floor((length + next) / 2), Math.max(length, next - 1)]) {
        using after = ledgerFolder();
        const path = join(after.dir, 'ledger.db');
        cpSync(folder.path, path);
        cpSync(wal, `${path}-wal`);
        truncateSync(`${path}-wal`, keep);
        await using survivor = await openLedger({ path, key: folder.key, env, ids: idSource(env) });
        expect(survivor.head().size).toBe(size);
        expect(survivor.verify(note)).toMatchObject({ ok: true, size });
        expect((await survivor.append(draft(0))).seq).toBe(size);
      }
    }
  });
});
