/** A file of the first format goes on in this one: what it knew of agents and locks stays, and what it cannot know goes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { fakeEnv } from '../../../../../test/support/fake-env.ts';
import { openEmbeddedState } from '../index.ts';

/** As the agov of format 1 made it, with one agent, one live run, one lock. */
const first = `
  CREATE TABLE agents (
    name TEXT PRIMARY KEY, tier TEXT NOT NULL, status TEXT NOT NULL, operator TEXT NOT NULL,
    created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, reason TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE runs (
    run TEXT PRIMARY KEY, agent TEXT NOT NULL, host TEXT NOT NULL, governor_pid INTEGER NOT NULL,
    process_group INTEGER NOT NULL, started_at INTEGER NOT NULL, beat_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE fence (id INTEGER PRIMARY KEY CHECK (id = 1), token INTEGER NOT NULL) STRICT;
  CREATE TABLE locks (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, token INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX locks_by_end ON locks (expires_at);
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE board (key TEXT PRIMARY KEY, value TEXT, version INTEGER NOT NULL) STRICT;
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, topic TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  INSERT INTO fence (id, token) VALUES (1, 7);
  INSERT INTO agents VALUES ('amy', 'T1', 'revoked', 'ada', 1, 2, 'It lied.');
  INSERT INTO runs VALUES ('intent', 'amy', 'box/boot', 11, 12, 1, 1);
  INSERT INTO locks VALUES ('deploy', 'amy', 7, 9000000000000);
  PRAGMA application_id = 0x61677374;
  PRAGMA user_version = 1;
`;

it('keeps agents, locks and tokens of the first format, and lists runs anew', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'agov-migration-'));
  const path = join(folder, 'state.db');
  const old = new DatabaseSync(path);
  old.exec(first);
  old.close();
  const opening = [1, 2].map(() => openEmbeddedState({ path, env: fakeEnv() }));
  for (const state of await Promise.all(opening)) {
    expect(await state.registry.get('amy')).toMatchObject({ status: 'revoked', reason: 'It lied.' });
    expect([await state.registry.liveRuns(), await state.registry.stoppedRuns()]).toEqual([[], []]);
    expect(await state.locks.holder('deploy')).toMatchObject({ owner: 'amy', token: 7 });
    expect((await state.locks.acquire(`other-${path}`, 'zed', 1))?.token).toBeGreaterThan(7);
    await state.locks.release(`other-${path}`, 8);
    await state[Symbol.asyncDispose]();
  }
  rmSync(folder, { recursive: true });
});
