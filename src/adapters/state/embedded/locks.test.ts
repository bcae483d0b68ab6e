/** Two who ask for one lock at the same moment: both have seen it free, one gets it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fakeEnv } from '../../../../test/support/fake-env.ts';
import { locks } from './locks.ts';
import { type Database, openDatabase } from './store/database.ts';

it('denies the one whose write lock came second', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agov-locks-'));
  const path = join(folder, 'state.db');
  const env = fakeEnv();
  using winner = await openDatabase(path, env);
  using loser = await openDatabase(path, env);
  const won: Promise<unknown>[] = [];
  /** The other process commits its grant after we looked and before we hold the write lock. */
  const overtaken: Database = {
    ...loser,
    write(body, durability) {
      won.push(locks(winner, env).acquire('deploy', 'winner', 1000));
      return loser.write(body, durability);
    },
  };
  expect(await locks(overtaken, env).acquire('deploy', 'loser', 1000)).toBeUndefined();
  expect(await Promise.all(won)).toEqual([expect.objectContaining({ expiresAt: env.now() + 1000 })]);
  expect(await locks(loser, env).holder('deploy')).toMatchObject({ owner: 'winner' });
  rmSync(folder, { recursive: true });
});
