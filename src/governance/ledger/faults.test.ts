import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { draft, fill, type LedgerFolder, ledgerFolder } from '../../../test/support/ledger.ts';
import { loadKey, loadOrCreateKey } from './index.ts';

const probe = join(import.meta.dirname, '../../../test/support/ledger-probe.ts');
const keyOf = (folder: LedgerFolder): string => join(folder.dir, 'keys', 'ledger.key');

function put(folder: LedgerFolder, content: string | Uint8Array): void {
  mkdirSync(dirname(folder.path), { recursive: true });
  writeFileSync(folder.path, content);
}

async function openCode(folder: LedgerFolder): Promise<unknown> {
  return await folder.open().then(
    () => 'opened',
    (error: { code: string }) => error.code,
  );
}

describe('a file that is no ledger of ours', () => {
  it('of a newer format is left alone', async () => {
    using folder = ledgerFolder();
    await (await folder.open())[Symbol.asyncDispose]();
    const db = new DatabaseSync(folder.path);
    db.exec('PRAGMA user_version = 2');
    db.close();
    expect(await openCode(folder)).toBe('LEDGER_NEWER');
    await expect(folder.openReadOnly()).rejects.toMatchObject({ code: 'LEDGER_NEWER', fix: 'Upgrade agov.' });
  });

  it('of garbage, cut short, or of another kind is called broken', async () => {
    using folder = ledgerFolder();
    put(folder, Buffer.alloc(8192, 'garbage'));
    expect(await openCode(folder)).toBe('LEDGER_BROKEN');
    await expect(folder.openReadOnly()).rejects.toMatchObject({ code: 'LEDGER_BROKEN' });

    using other = ledgerFolder();
    put(other, '');
    const db = new DatabaseSync(other.path);
    db.exec('CREATE TABLE t (x); PRAGMA user_version = 1');
    db.close();
    expect(await openCode(other)).toBe('LEDGER_BROKEN');

    using cut = ledgerFolder();
    {
      await using ledger = await cut.open();
      await fill(ledger, 300);
    }
    writeFileSync(cut.path, readFileSync(cut.path).subarray(0, 40_000));
    expect(await openCode(cut)).toBe('LEDGER_BROKEN');
  });

  it('with a page overwritten verifies as unreadable or changed, never as sound', async () => {
    using folder = ledgerFolder();
    {
      await using ledger = await folder.open();
      await fill(ledger, 300);
    }
    const sound = readFileSync(folder.path);
    for (let page = 2; page * 4096 < sound.length; page += 3) {
      const harmed = Buffer.from(sound);
      harmed.fill(0x5a, page * 4096, (page + 1) * 4096);
      writeFileSync(folder.path, harmed);
      const report = await folder.openReadOnly().then(
        async (ledger) => {
          await using open = ledger;
          return open.verify();
        },
        (error: { code: string }) => ({ ok: error.code !== 'LEDGER_BROKEN' }),
      );
      expect(report.ok, `page ${page}`).toBe(false);
    }
  });

  it('signed by another key is not continued', async () => {
    using folder = ledgerFolder();
    await (await folder.open())[Symbol.asyncDispose]();
    using other = ledgerFolder();
    put(other, readFileSync(folder.path));
    await expect(other.open()).rejects.toMatchObject({ code: 'KEY_INVALID', fix: expect.stringContaining('key file') });
  });

  it('that is not there is not made by reading', async () => {
    using folder = ledgerFolder();
    await expect(folder.openReadOnly()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(existsSync(folder.path)).toBe(false);
  });
});

describe('a ledger that another process holds', () => {
  it('is waited for, and unavailable when that takes too long', async () => {
    using folder = ledgerFolder();
    await using ledger = await folder.open({ busyMs: 60 });
    const holder = new DatabaseSync(folder.path);
    holder.exec('BEGIN IMMEDIATE');
    await expect(ledger.append(draft(0))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', retry: true });

    await using patient = await folder.open({ busyMs: 20_000 });
    const waiting = patient.append(draft(0));
    const first = await Promise.race([waiting, new Promise((resolve) => setImmediate(() => resolve('waiting')))]);
    expect(first).toBe('waiting');
    holder.exec('ROLLBACK');
    holder.close();
    expect((await waiting).seq).toBe(0);
    expect((await ledger.append(draft(1))).seq).toBe(1);
  });
});

describe('the key file', () => {
  it('is made once and read again', () => {
    using folder = ledgerFolder();
    const again = loadOrCreateKey(keyOf(folder), 'example.com/other');
    expect(again).toMatchObject({ name: 'example.com/test', id: folder.key.id });
    expect(readFileSync(keyOf(folder), 'utf8')).toMatch(/^PRIVATE\+KEY\+example\.com\/test\+[0-9a-f]{8}\+A[\w+/=]+\n$/);
  });

  it.each([0o640, 0o604, 0o622])('of mode %i (decimal) is refused with the command that mends it', (mode) => {
    using folder = ledgerFolder();
    chmodSync(keyOf(folder), mode);
    expect(() => loadKey(keyOf(folder))).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', fix: `Run \`chmod 600 ${keyOf(folder)}\`.` }),
    );
  });

  it('that is missing, damaged, a folder or a dangling link is refused without showing what is in it', () => {
    using folder = ledgerFolder();
    const bad = join(folder.dir, 'bad.key');
    expect(() => loadKey(bad)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    const line = readFileSync(keyOf(folder), 'utf8');
    for (const content of ['', 'secret', line.slice(0, -5), line.replace('example', 'elsewhere')]) {
      writeFileSync(bad, content, { mode: 0o600 });
      const error = (() => {
        try {
          return loadKey(bad);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toMatchObject({ code: 'KEY_INVALID' });
      if (content.length > 10) expect(JSON.stringify(error)).not.toContain(content.slice(-20).trim());
    }
    expect(() => loadKey(folder.dir)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    symlinkSync(join(folder.dir, 'nowhere'), join(folder.dir, 'link.key'));
    expect(() => loadOrCreateKey(join(folder.dir, 'link.key'), 'example.com/x')).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    );
  });

  it.each(['', 'two words', 'a+b', 'line\nbreak'])('is not made under the name %j', (name) => {
    using folder = ledgerFolder();
    expect(() => loadOrCreateKey(join(folder.dir, 'new.key'), name)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    );
  });
});

describe('a disk that does not do what it should', () => {
  const sandbox = spawnSync('bwrap', ['--ro-bind', '/', '/', 'true']);
  const missing = sandbox.status === 0 ? undefined : 'bwrap does not work here';
  const skip = missing !== undefined && process.env['CI'] !== 'true';

  const run = (program: string, ...args: string[]): unknown =>
    JSON.parse(execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));

  it('over its size limit: the append fails whole, and the record still verifies', async () => {
    using folder = ledgerFolder();
    const limited = `trap '' XFSZ; ulimit -f 300; exec "$@"`;
    const command = [process.execPath, probe, 'append', folder.path, keyOf(folder)];
    expect(run('sh', '-c', limited, 'sh', ...command)).toMatchObject({ failure: 'DISK_FULL', verified: true });
    await using ledger = await folder.open();
    expect(ledger.verify()).toMatchObject({ ok: true });
    expect((await ledger.append(draft(0))).seq).toBe(ledger.head().size - 1);
  });

  it.skipIf(skip)(`full: appends fail, and go on when there is room${missing ? ` (${missing})` : ''}`, () => {
    using folder = ledgerFolder();
    const tiny = ['--ro-bind', '/', '/', '--size', '3000000', '--tmpfs', '/mnt'];
    const command = [process.execPath, probe, 'full', '/mnt/ledger.db', keyOf(folder)];
    expect(run('bwrap', ...tiny, ...command)).toEqual({
      failure: 'DISK_FULL',
      verified: true,
      wentOn: true,
      verifiedAfter: true,
    });
  });

  it.skipIf(skip)(`read-only: reading works, appending says why not${missing ? ` (${missing})` : ''}`, async () => {
    using folder = ledgerFolder();
    {
      await using ledger = await folder.open();
      await fill(ledger, 5);
    }
    const readOnly = (mode: string): unknown =>
      run('bwrap', '--ro-bind', '/', '/', process.execPath, probe, mode, folder.path, keyOf(folder));
    expect(readOnly('read')).toEqual({ verified: true, size: 5 });
    expect(readOnly('append')).toEqual({ failure: 'NOT_WRITABLE' });
  });
});
