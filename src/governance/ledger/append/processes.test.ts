/** Many processes on one ledger whose key is in Vault, and processes that die between a signature and its commit. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { draft } from '../../../../test/support/ledger.ts';
import { type TransitFolder, transitFolder } from '../../../../test/support/transit-ledger.ts';
import { hashLeaf } from '../verifier/index.ts';

const support = join(import.meta.dirname, '../../../../test/support');
const killing = pathToFileURL(join(support, 'kill-at-commit.mjs')).href;

interface Writer {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly receipts: () => [seq: number, leaf: string][];
}

let folder: TransitFolder;
beforeEach(async () => {
  folder = await transitFolder({ deadlineMs: 20_000 });
  await (await folder.open())[Symbol.asyncDispose]();
});
afterEach(() => folder[Symbol.asyncDispose]());

function startWriter(count: number, atOnce: number, killAt?: string): Writer {
  const preload = killAt === undefined ? [] : ['--import', killing];
  const args = [join(support, 'transit-writer.ts'), folder.path, folder.pin, folder.vault.address.origin];
  const child = spawn(process.execPath, [...preload, ...args, String(count), String(atOnce)], {
    env: { ...process.env, VAULT_TOKEN: folder.vault.root, ...(killAt === undefined ? {} : { KILL_AT: killAt }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
  });
  return {
    child,
    ended: once(child, 'close'),
    receipts: () =>
      // A line without its end was cut off by the kill.
      printed
        .split('\n')
        .slice(0, -1)
        .map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']),
  };
}

describe('six processes at once', () => {
  it('append without losing or repeating anything, and hardly ever have a head signed for nothing', async () => {
    const before = folder.signatures();
    const writers = Array.from({ length: 6 }, () => startWriter(20, 2));
    await Promise.all(writers.map(({ ended }) => ended));
    const seqs = writers.flatMap(({ receipts }) => receipts().map(([seq]) => seq));
    expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i));
    await using ledger = await folder.openReadOnly();
    expect(ledger.verify()).toMatchObject({ ok: true, size: 120 });
    expect(folder.signatures() - before).toBeLessThanOrEqual(120);
  });
});

describe('a process that dies at a commit', () => {
  it.each(['before', 'after'])(
    '%s it: what was acknowledged is there, and the next one goes on at once',
    async (when) => {
      const writer = startWriter(10, 1, `3:${when}`);
      await writer.ended;
      expect(writer.child.signalCode).toBe('SIGKILL');
      const acknowledged = writer.receipts();
      expect(acknowledged).toHaveLength(2);
      await using ledger = await folder.open();
      // The signature of the third was there in both cases; only its commit says whether it is in the record.
      expect(ledger.verify()).toMatchObject({ ok: true, size: when === 'before' ? 2 : 3 });
      for (const [seq, leaf] of acknowledged) {
        expect(Buffer.from(hashLeaf(ledger.bytes(seq) as Uint8Array)).toString('hex')).toBe(leaf);
      }
      const began = performance.now();
      expect((await ledger.append(draft(0))).seq).toBe(when === 'before' ? 2 : 3);
      // The dead process has not taken its turn with it.
      expect(performance.now() - began).toBeLessThan(5000);
      expect(ledger.verify()).toMatchObject({ ok: true });
    },
  );

  it('stopped while it has the turn: the others go on when they have waited for it long enough', async () => {
    await using patient = await transitFolder({ deadlineMs: 1000 });
    await using ledger = await patient.open();
    const held = patient.hold();
    const args = [
      join(support, 'transit-writer.ts'),
      patient.path,
      patient.pin,
      patient.vault.address.origin,
      '1',
      '1',
    ];
    const env = { ...process.env, VAULT_TOKEN: patient.vault.root };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    await held.asked;
    child.kill('SIGSTOP');
    expect(await ledger.append(draft(0))).toMatchObject({ seq: 0 });
    held.answer();
    child.kill('SIGCONT');
    await ended;
    expect(child.exitCode).toBe(0);
    expect(ledger.verify()).toMatchObject({ ok: true, size: 2 });
  });
});
