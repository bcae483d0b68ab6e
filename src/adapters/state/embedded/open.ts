/** Opens state in one SQLite file that several processes share. */
import type { Env } from '../../../kernel/index.ts';
import type { State } from '../port.ts';
import { board } from './board.ts';
import { counters } from './counters.ts';
import { events } from './events.ts';
import { locks } from './locks.ts';
import { registry } from './registry.ts';
import { openDatabase } from './store/database.ts';

export interface EmbeddedStateOptions {
  /** Absolute path of the file; it and its folder are created where they are missing. */
  readonly path: string;
  readonly env: Env;
}

/** @throws AgovError STATE_CORRUPT, STATE_UNAVAILABLE */
export async function openEmbeddedState({ path, env }: EmbeddedStateOptions): Promise<State> {
  const db = await openDatabase(path, env);
  return {
    registry: registry(db),
    locks: locks(db, env),
    counters: counters(db),
    board: board(db),
    events: events(db, env),
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]();
    },
  };
}
