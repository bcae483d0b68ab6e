/** Which writes wait for the disk: grants of locks and agents' records do, the rest does not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { fakeEnv } from '../../../../../test/support/fake-env.ts';
import { counters } from '../counters.ts';
import { locks } from '../locks.ts';
import { registry } from '../registry.ts';
import { type Database, openDatabase } from './database.ts';

const env = fakeEnv();
const levelRow = z.object({ synchronous: z.int() });
const levels: number[] = [];
let folder: string;
let db: Database;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agov-durable-'));
  const real = await openDatabase(join(folder, 'state.db'), env);
  levels.length = 0;
  // Notes SQLite's own level inside each transaction: 1 is NORMAL, 2 is FULL.
  db = {
    ...real,
    write: (body, durability) =>
      real.write(() => {
        levels.push(real.one(levelRow, 'PRAGMA synchronous')?.synchronous ?? 0);
        return body();
      }, durability),
  };
});
afterEach(() => {
  db[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

it('syncs a grant and a record, and goes back to the fast level', async () => {
  await counters(db).add('n', 1);
  await locks(db, env).acquire('deploy', 'amy', 1000);
  await counters(db).add('n', 1);
  const record = { name: 'amy', tier: 'T1', status: 'revoked', operator: 'olga', createdAt: 1, changedAt: 1 } as const;
  await registry(db).put(record);
  await counters(db).add('n', 1);
  expect(levels).toEqual([1, 2, 1, 2, 1]);
});

it('goes back to the fast level, with nothing written, after a failure', async () => {
  const fail = (): never => {
    db.run("INSERT INTO counters (name, value) VALUES ('n', 1)");
    throw new RangeError('on purpose');
  };
  expect(() => db.write(fail, 'durable')).toThrow();
  expect(await counters(db).add('n', 1)).toEqual({ value: 1, accepted: true });
  expect(levels).toEqual([2, 1]);
});
