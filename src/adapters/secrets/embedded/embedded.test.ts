/** The contract on one encrypted file, and what only this adapter promises: nothing readable, everything bound. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fakeEnv } from '../../../../test/support/fake-env.ts';
import { idSource, Secret } from '../../../kernel/index.ts';
import { secretsContract } from '../contract.ts';
import type { Secrets } from '../port.ts';
import { openEmbeddedSecrets } from './index.ts';

const env = fakeEnv();
const ids = idSource(env);
const use = { ttlMs: 1000, intent: 'intent-1' };

secretsContract('embedded', async () => {
  const home = mkdtempSync(join(tmpdir(), 'agov-secrets-'));
  const options = { path: join(home, 'secrets.db'), keyPath: join(home, 'keys', 'secrets.key'), env, ids };
  const close = new AsyncDisposableStack();
  close.defer(() => rmSync(home, { recursive: true }));
  const first = close.use(await openEmbeddedSecrets(options));
  const second = close.use(await openEmbeddedSecrets(options));
  return {
    first,
    second,
    now: () => env.now(),
    advance: async (ms) => env.advance(ms),
    async reopen() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
      return close.use(await openEmbeddedSecrets(options));
    },
    [Symbol.asyncDispose]: () => close.disposeAsync(),
  };
});

let folder: string;
let path: string;
let keyPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agov-secrets-'));
  path = join(folder, '.agov', 'secrets.db');
  keyPath = join(folder, 'config', 'agov', 'secrets.key');
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(): Promise<Secrets> {
  return openEmbeddedSecrets({ path, keyPath, env, ids });
}

/** Stores the two values in a file that is closed again. */
async function stored(): Promise<void> {
  await using secrets = await open();
  await secrets.set('dev/db', new Secret('correct-horse'));
  await secrets.set('dev/api', new Secret('battery-staple'));
}

function mode(file: string): number {
  return statSync(file).mode & 0o777;
}

describe('the key', () => {
  it('is made once: 32 bytes in base64, for its owner alone, with no draft left behind', async () => {
    await stored();
    expect(Buffer.from(readFileSync(keyPath, 'latin1'), 'base64')).toHaveLength(32);
    expect([mode(keyPath), mode(join(keyPath, '..')), mode(path)]).toEqual([0o600, 0o700, 0o600]);
    const before = readFileSync(keyPath);
    await stored();
    expect(readFileSync(keyPath).equals(before)).toBe(true);
    expect(readdirSync(join(keyPath, '..'))).toEqual(['secrets.key']);
  });

  it.each([0o640, 0o604, 0o620, 0o601])('is refused with mode %o, with the command to run', async (open_) => {
    await stored();
    chmodSync(keyPath, open_);
    await expect(open()).rejects.toMatchObject({ code: 'KEY_INVALID', fix: `Run: chmod 600 '${keyPath}'` });
  });

  it('is never made anew over existing secrets', async () => {
    await stored();
    rmSync(keyPath);
    await expect(open()).rejects.toMatchObject({ code: 'KEY_INVALID' });
    expect(existsSync(keyPath)).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['short', Buffer.alloc(31).toString('base64')],
    ['long', Buffer.alloc(33).toString('base64')],
    ['not base64', 'x y'.repeat(15)],
    ['huge', 'A'.repeat(100_000)],
  ])('is refused when it is %s, and is not quoted', async (_, text) => {
    await stored();
    writeFileSync(keyPath, text);
    const refusal = await open().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'KEY_INVALID' });
    if (text) expect(JSON.stringify(refusal)).not.toContain(text.slice(0, 20));
  });

  it('is told from a right one when it is the key of another file', async () => {
    await stored();
    writeFileSync(keyPath, Buffer.alloc(32, 7).toString('base64'));
    await expect(open()).rejects.toMatchObject({ code: 'KEY_INVALID', what: expect.stringContaining(path) });
  });

  it('is one key when two handles open a new store together', async () => {
    const [a, b] = await Promise.all([open(), open()]);
    await a.set('dev/db', new Secret('v'));
    expect((await b.lease('dev/db', use)).value.reveal()).toBe('v');
    await a[Symbol.asyncDispose]();
    await b[Symbol.asyncDispose]();
  });
});

describe('the file', () => {
  it('holds no value in any form, neither in itself nor in its log', async () => {
    await using secrets = await open();
    await secrets.set('dev/db', new Secret('correct-horse'));
    await secrets.set('dev/db', new Secret('battery-staple'));
    await secrets.lease('dev/db', use);
    await secrets.remove('dev/db');
    const files = readdirSync(join(path, '..')).filter((name) => !name.endsWith('-shm'));
    expect(files.sort()).toEqual(['secrets.db', 'secrets.db-wal']);
    const raw = Buffer.concat(files.map((name) => readFileSync(join(path, '..', name)))).toString('latin1');
    expect(raw).toContain('intent-1');
    for (const value of ['correct-horse', 'battery-staple']) {
      expect(raw).not.toContain(value);
      expect(raw).not.toContain(btoa(value).slice(0, 12));
      expect(raw).not.toContain(Buffer.from(value).toString('hex'));
    }
  });

  it('uses a fresh nonce and gives a new ciphertext for the same value', async () => {
    await using secrets = await open();
    const nonces = new Set<unknown>();
    const texts = new Set<unknown>();
    for (let i = 0; i < 5; i++) {
      await secrets.set('dev/db', new Secret('same'));
      using db = new DatabaseSync(path, { readOnly: true });
      const row = db.prepare('SELECT hex(nonce) AS nonce, hex(sealed) AS sealed FROM secret_values').get();
      nonces.add(row?.['nonce']);
      texts.add(row?.['sealed']);
    }
    expect([nonces.size, texts.size]).toEqual([5, 5]);
    expect([...nonces].every((nonce) => String(nonce).length === 24)).toBe(true);
  });

  it.each([
    ['garbage', () => writeFileSync(path, 'x'.repeat(5000))],
    ["another program's", () => sql('PRAGMA application_id = 1')],
    ['of a newer format', () => sql('PRAGMA user_version = 99')],
    ['without a table', () => sql('DROP TABLE catalogue')],
    ['without its catalogue', () => sql('DELETE FROM catalogue')],
  ])('is refused when it is %s', async (_, damage) => {
    await stored();
    damage();
    await expect(open()).rejects.toMatchObject({ code: 'SECRETS_UNAVAILABLE', fix: expect.any(String) });
  });

  it('answers no more when it is closed or replaced', async () => {
    await stored();
    await using held = await open();
    rmSync(path);
    await expect(held.list()).rejects.toMatchObject({ code: 'SECRETS_UNAVAILABLE' });
    await held[Symbol.asyncDispose]();
    await expect(held.leases()).rejects.toMatchObject({ code: 'SECRETS_UNAVAILABLE' });
  });
});

function sql(text: string): void {
  const db = new DatabaseSync(path);
  db.exec(text);
  db.close();
}

describe('tampering', () => {
  const damaged = { code: 'SECRETS_UNAVAILABLE', what: 'The secret "dev/db" is damaged.', details: { path: 'dev/db' } };
  /** Flips one bit of a blob; a negative place counts from its end. */
  const flip = (table: string, column: string, at: number, where: string): void => {
    const db = new DatabaseSync(path);
    const row = db.prepare(`SELECT ${column} AS blob FROM ${table} WHERE ${where}`).get();
    const blob = Buffer.from(z.instanceof(Uint8Array).parse(row?.['blob']));
    const place = at < 0 ? blob.length + at : at;
    blob.writeUInt8(blob.readUInt8(place) ^ 1, place);
    db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(blob);
    db.close();
  };

  it.each([
    ['the nonce', 'nonce', 0],
    ['the ciphertext', 'sealed', 0],
    ['the tag', 'sealed', -1],
  ])('with %s of a value is named by its path, and hurts no other', async (_, column, at) => {
    await stored();
    flip('secret_values', column, at, "path = 'dev/db'");
    await using secrets = await open();
    await expect(secrets.lease('dev/db', use)).rejects.toMatchObject(damaged);
    expect((await secrets.lease('dev/api', use)).value.reveal()).toBe('battery-staple');
    expect(await secrets.leases()).toHaveLength(1);
    await secrets.set('dev/db', new Secret('again'));
    expect(await secrets.lease('dev/db', use)).toMatchObject({ version: 2 });
  });

  it.each([
    ['swapped rows', "UPDATE secret_values SET path = CASE path WHEN 'dev/db' THEN 'x' ELSE 'dev/db' END"],
    ['a removed row', "DELETE FROM secret_values WHERE path = 'dev/db'"],
    ['a cut value', "UPDATE secret_values SET sealed = substr(sealed, 1, 20) WHERE path = 'dev/db'"],
    ['an empty value', "UPDATE secret_values SET sealed = x'' WHERE path = 'dev/db'"],
    ['a short nonce', "UPDATE secret_values SET nonce = x'00' WHERE path = 'dev/db'"],
  ])('by %s is detected', async (_, change) => {
    await stored();
    sql(change);
    await using secrets = await open();
    await expect(secrets.lease('dev/db', use)).rejects.toMatchObject(damaged);
  });

  it('by bringing back the row of an older version is detected', async () => {
    await stored();
    sql('CREATE TABLE old AS SELECT * FROM secret_values');
    await using secrets = await open();
    await secrets.set('dev/db', new Secret('rotated'));
    sql(`UPDATE secret_values SET (nonce, sealed) = (SELECT nonce, sealed FROM old WHERE path = 'dev/db')
         WHERE path = 'dev/db'`);
    await expect(secrets.lease('dev/db', use)).rejects.toMatchObject(damaged);
  });

  it('by bringing back a removed secret does not bring it back', async () => {
    await stored();
    sql('CREATE TABLE old AS SELECT * FROM secret_values');
    await using secrets = await open();
    await secrets.remove('dev/db');
    sql("INSERT INTO secret_values SELECT * FROM old WHERE path = 'dev/db'");
    await expect(secrets.lease('dev/db', use)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each([
    ['the nonce', 'nonce', 0, 'SECRETS_UNAVAILABLE'],
    ['the ciphertext', 'sealed', 0, 'SECRETS_UNAVAILABLE'],
    ['the tag', 'sealed', -1, 'SECRETS_UNAVAILABLE'],
    ['the check of the key', 'key_check', 3, 'KEY_INVALID'],
  ])('with %s of the catalogue is detected', async (_, column, at, code) => {
    await stored();
    await using held = await open();
    flip('catalogue', column, at, 'id = 1');
    await expect(open()).rejects.toMatchObject({ code });
    await expect(held.lease('dev/api', use)).rejects.toMatchObject({ code });
    await expect(held.set('dev/new', new Secret('v'))).rejects.toMatchObject({ code });
  });
});
