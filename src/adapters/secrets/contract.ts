/** What every secrets adapter must do. Two handles on one store, and a clock that the suite moves. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../kernel/index.ts';
import type { Lease, Secrets } from './port.ts';

export interface SecretsFixture extends AsyncDisposable {
  readonly first: Secrets;
  readonly second: Secrets;
  /** The clock that both handles go by. */
  now(): number;
  /** Lets time pass for both: moves a fake clock, or waits where only the server's clock counts. */
  advance(ms: number): Promise<void>;
  /** Closes both handles and opens the same store anew. */
  reopen(): Promise<Secrets>;
}

const ttlMs = 2000;
const use = { ttlMs, intent: 'intent-1' };

export function secretsContract(name: string, open: () => Promise<SecretsFixture>): void {
  describe(`${name} keeps the secrets contract`, () => {
    let fixture: SecretsFixture;
    let first: Secrets;
    let second: Secrets;
    beforeEach(async () => {
      fixture = await open();
      ({ first, second } = fixture);
    });
    afterEach(() => fixture[Symbol.asyncDispose]());

    it('gives back what was stored, through any handle and after reopening', async () => {
      const text = 'line\nzwei € "quoted" \\ \0 end';
      await first.set('dev/db', new Secret(text));
      const lease = await second.lease('dev/db', use);
      expect(lease.value.reveal()).toBe(text);
      const third = await fixture.reopen();
      expect((await third.lease('dev/db', use)).value.reveal()).toBe(text);
      expect((await third.leases()).map(({ id }) => id)).toContain(lease.id);
    });

    it('counts versions up at each set, also over a removal', async () => {
      expect(await first.set('dev/db', new Secret('a'))).toMatchObject({ path: 'dev/db', version: 1 });
      const info = await second.set('dev/db', new Secret('b'));
      expect(info).toEqual({ path: 'dev/db', version: 2, changedAt: fixture.now() });
      expect(await first.lease('dev/db', use)).toMatchObject({ version: 2 });
      await first.remove('dev/db');
      expect(await second.set('dev/db', new Secret('c'))).toMatchObject({ version: 3 });
      expect((await first.lease('dev/db', use)).value.reveal()).toBe('c');
    });

    it('lists names by path, within the borders of segments', async () => {
      for (const path of ['develop/x', 'dev/db', 'dev/api/key', 'prod', 'dev-1']) {
        await first.set(path, new Secret('v'));
      }
      await first.set('gone', new Secret('v'));
      await first.remove('gone');
      const names = async (prefix?: string): Promise<string[]> => (await second.list(prefix)).map(({ path }) => path);
      expect(await names()).toEqual(['dev-1', 'dev/api/key', 'dev/db', 'develop/x', 'prod']);
      expect(await names('dev')).toEqual(['dev/api/key', 'dev/db']);
      expect(await names('prod')).toEqual(['prod']);
      expect(await names('none')).toEqual([]);
    });

    it('hands out a lease that says whom it serves and when it ends', async () => {
      await first.set('dev/db', new Secret('v'));
      const { id, value: _, ...rest } = await first.lease('dev/db', use);
      const issuedAt = fixture.now();
      const info = { path: 'dev/db', version: 1, intent: 'intent-1', issuedAt, expiresAt: issuedAt + ttlMs };
      expect(rest).toEqual(info);
      expect(await second.leases()).toEqual([{ id, ...info }]);
    });

    it('gives every lease an id of its own, long enough not to be guessed', async () => {
      await first.set('dev/db', new Secret('v'));
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? first : second).lease('dev/db', use)),
      );
      expect(new Set(made.map(({ id }) => id)).size).toBe(20);
      expect(made.every(({ id }) => id.length >= 22)).toBe(true);
    });

    it('keeps leases in the order in which they were issued', async () => {
      await first.set('dev/db', new Secret('v'));
      const issued: Lease[] = [];
      for (const handle of [second, first, second]) {
        issued.push(await handle.lease('dev/db', use));
        await fixture.advance(10);
      }
      expect((await first.leases()).map(({ id }) => id)).toEqual(issued.map(({ id }) => id));
    });

    it('ends a lease at its time, for good', async () => {
      await first.set('dev/db', new Secret('v'));
      const { id } = await first.lease('dev/db', use);
      await fixture.advance(ttlMs - 1);
      expect(await second.leases()).toHaveLength(1);
      await fixture.advance(1);
      expect(await second.leases()).toEqual([]);
      await expect(second.renew(id, ttlMs)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await first.end(id);
    });

    it('renews from now, through any handle', async () => {
      await first.set('dev/db', new Secret('v'));
      const { id, issuedAt } = await first.lease('dev/db', use);
      await fixture.advance(ttlMs / 2);
      const renewed = await second.renew(id, ttlMs);
      expect(renewed).toEqual({ ...(await first.leases())[0], issuedAt, expiresAt: fixture.now() + ttlMs });
      expect(renewed).not.toHaveProperty('value');
      await fixture.advance(ttlMs - 1);
      expect(await first.leases()).toHaveLength(1);
      await expect(first.renew('no-such-lease', ttlMs)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('ends one lease and no other, and ending twice is harmless', async () => {
      await first.set('dev/db', new Secret('v'));
      const [a, b] = [await first.lease('dev/db', use), await first.lease('dev/db', use)];
      await second.end(a.id);
      await first.end(a.id);
      await first.end('no-such-lease');
      expect((await first.leases()).map(({ id }) => id)).toEqual([b.id]);
      await expect(first.renew(a.id, ttlMs)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('removes a secret with its leases, and no other', async () => {
      await first.set('dev/db', new Secret('v'));
      await first.set('dev/db2', new Secret('v'));
      const { id } = await first.lease('dev/db', use);
      const other = await first.lease('dev/db2', use);
      await second.remove('dev/db');
      expect((await first.leases()).map((lease) => lease.id)).toEqual([other.id]);
      await expect(first.renew(id, ttlMs)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(first.lease('dev/db', use)).rejects.toMatchObject({ code: 'NOT_FOUND', fix: expect.any(String) });
      await expect(first.remove('dev/db')).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(first.lease('never/was', use)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it.each([
      ...['', '/', '/dev', 'dev/', 'dev//db', '.', 'dev/..', 'dev/./db', '../dev', 'Dev', 'dev/ä', 'dev db', 'dev\n'],
      ...['dev\0', 'dev%2fdb', 'dev\\db', 'x'.repeat(65), 'a/b/c/d/e/f/g/h/i'],
    ])('refuses the path %j', async (path) => {
      const refusal = { code: 'SECRET_PATH_INVALID', fix: expect.stringContaining('dev/db/password') };
      await expect(first.set(path, new Secret('v'))).rejects.toMatchObject(refusal);
      await expect(first.lease(path, use)).rejects.toMatchObject(refusal);
      await expect(first.remove(path)).rejects.toMatchObject(refusal);
      await expect(first.list(path)).rejects.toMatchObject(refusal);
    });

    it.each(['a', 'a/b/c/d/e/f/g/h', 'x'.repeat(64), '..a/.b/c...', '_-.'])('takes the path %j', async (path) => {
      await first.set(path, new Secret('v'));
      expect((await second.lease(path, use)).value.reveal()).toBe('v');
    });

    it('takes values of 1 to 65,536 bytes of UTF-8', async () => {
      const most = 'é'.repeat(32_768);
      await first.set('big', new Secret(most));
      expect((await first.lease('big', use)).value.reveal()).toBe(most);
      for (const bad of ['', `${most}x`, 'half \ud800']) {
        await expect(first.set('big', new Secret(bad))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      }
      expect(await first.list()).toMatchObject([{ version: 1 }]);
    });

    it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a lease of %d ms', async (bad) => {
      await first.set('dev/db', new Secret('v'));
      const { id } = await first.lease('dev/db', use);
      await expect(first.lease('dev/db', { ...use, ttlMs: bad })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      await expect(first.renew(id, bad)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    });

    it('shows a value nowhere but in the lease, and there only when it is asked for', async () => {
      const text = 'correct-horse-battery';
      const info = await first.set('dev/db', new Secret(text));
      const lease = await first.lease('dev/db', use);
      const misplaced = await first.set(text.toUpperCase(), new Secret(text)).catch((error: unknown) => error);
      const shown = [info, lease, await first.list(), await first.leases(), misplaced, first];
      for (const thing of shown) {
        expect(`${inspect(thing, { depth: 9, showHidden: true })} ${JSON.stringify(thing)}`).not.toMatch(
          /correct-horse-battery/i,
        );
      }
    });
  });
}
