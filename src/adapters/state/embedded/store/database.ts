/**
 * The state file as the port's sections see it: rows that are parsed, writes that are whole, faults in the port's
 * words. When the file at our path is no longer the one we opened (a rebuild put another there), the next call goes on
 * in the new one: a governor must not keep granting locks in a file that nobody else sees.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { z } from 'zod';
import type { Env } from '../../../../kernel/index.ts';
import { connect, fileIdentity } from './connect.ts';
import { isBusy, stateCorrupt, stateFault, stateUnavailable } from './faults.ts';

export interface Database extends Disposable {
  all<T>(row: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T[];
  one<T>(row: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T | undefined;
  /** The number of rows that changed. */
  run(sql: string, ...values: SQLInputValue[]): number;
  /**
   * One transaction that holds the write lock from its start. `durable`: on disk before it returns, power failure
   * included; otherwise the last few may be lost then, though never torn.
   */
  write<T>(body: () => T, durability?: 'durable'): T;
  /** A text that differs from the last one when another connection has committed, or the file was replaced. */
  revision(): string;
}

interface Connection {
  readonly db: DatabaseSync;
  readonly file: string;
  readonly statements: Map<string, StatementSync>;
}

const openAttempts = 50;
const openPauseMs = 20;

/** @throws AgovError STATE_CORRUPT, STATE_UNAVAILABLE */
export async function openDatabase(path: string, env: Env): Promise<Database> {
  for (let attempt = 1; ; attempt++) {
    try {
      return database(path, env, adopt(path, connect(path, env.now(), 'create')));
    } catch (error) {
      // SQLite does not wait by itself while another process turns a new file to WAL.
      if (!isBusy(error) || attempt === openAttempts) throw stateFault(path, error);
      await env.sleep(openPauseMs);
    }
  }
}

function adopt(path: string, db: DatabaseSync): Connection {
  return { db, file: fileIdentity(path), statements: new Map() };
}

function database(path: string, env: Env, first: Connection): Database {
  let connection: Connection | undefined = first;
  let closed = false;
  let generation = 0;

  const current = (): Connection => {
    if (closed) throw stateUnavailable(path, 'has been closed.', 'Open it again.');
    if (connection) {
      if (connection.db.isTransaction || connection.file === fileIdentity(path)) return connection;
      connection.db.close();
      connection = undefined;
    }
    generation += 1;
    connection = adopt(path, connect(path, env.now(), 'existing'));
    return connection;
  };
  const prepare = (sql: string): StatementSync => {
    const { db, statements } = current();
    const known = statements.get(sql);
    if (known) return known;
    const statement = db.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const guarded = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw stateFault(path, error);
    }
  };
  const parse = <T>(row: z.ZodType<T>, value: unknown): T => {
    const parsed = row.safeParse(value);
    if (parsed.success) return parsed.data;
    const places = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw stateCorrupt(path, `A stored row does not have the shape it must have (${places}).`);
  };

  return {
    all: (row, sql, ...values) =>
      guarded(() =>
        prepare(sql)
          .all(...values)
          .map((value) => parse(row, value)),
      ),
    one: (row, sql, ...values) =>
      guarded(() => {
        const value = prepare(sql).get(...values);
        return value === undefined ? undefined : parse(row, value);
      }),
    run: (sql, ...values) => guarded(() => Number(prepare(sql).run(...values).changes)),
    write: (body, durability) => guarded(() => transaction(current().db, body, durability === 'durable')),
    revision: () =>
      guarded(() => {
        // Before the generation is read, since this is what may open the new file.
        const version = JSON.stringify(prepare('PRAGMA data_version').get());
        return `${generation}:${version}`;
      }),
    [Symbol.dispose]() {
      closed = true;
      connection?.db.close();
      connection = undefined;
    },
  };
}

function transaction<T>(db: DatabaseSync, body: () => T, durable: boolean): T {
  // In WAL mode FULL syncs the log at this commit, and with it every commit before.
  if (durable) db.exec('PRAGMA synchronous = FULL');
  try {
    db.exec('BEGIN IMMEDIATE');
    const result = body();
    db.exec('COMMIT');
    return result;
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
    if (durable) db.exec('PRAGMA synchronous = NORMAL');
  }
}
