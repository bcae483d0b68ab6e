/** Leases are rows with an end. One whose end has come is gone for everybody, whether its row is still there or not. */
import { z } from 'zod';
import { AgovError, type Env, type IdSource } from '../../../kernel/index.ts';
import type { LeaseInfo } from '../port.ts';
import type { Database } from './store/database.ts';

const leaseRow = z
  .strictObject({
    id: z.string(),
    path: z.string(),
    version: z.int().min(1),
    intent: z.string(),
    issued_at: z.int(),
    expires_at: z.int(),
  })
  .transform(
    ({ issued_at, expires_at, ...rest }): LeaseInfo => ({ ...rest, issuedAt: issued_at, expiresAt: expires_at }),
  );
const columns = 'id, path, version, intent, issued_at, expires_at';

export interface Leases {
  issue(path: string, version: number, intent: string, ttlMs: number): LeaseInfo;
  /** @throws AgovError NOT_FOUND */
  renew(id: string, ttlMs: number): LeaseInfo;
  end(id: string): void;
  endAll(path: string): void;
  list(): readonly LeaseInfo[];
}

export function leases(db: Database, env: Env, ids: IdSource): Leases {
  return {
    issue(path, version, intent, ttlMs) {
      const issuedAt = env.now();
      const lease = { id: leaseId(env, ids), path, version, intent, issuedAt, expiresAt: issuedAt + ttlMs };
      db.run('DELETE FROM leases WHERE expires_at <= ?', issuedAt);
      const sql = `INSERT INTO leases (${columns}) VALUES (?, ?, ?, ?, ?, ?)`;
      db.run(sql, lease.id, path, version, intent, issuedAt, lease.expiresAt);
      return lease;
    },
    renew(id, ttlMs) {
      const now = env.now();
      const sql = `UPDATE leases SET expires_at = ? WHERE id = ? AND expires_at > ? RETURNING ${columns}`;
      const renewed = db.write(() => db.one(leaseRow, sql, now + ttlMs, id, now));
      if (renewed) return renewed;
      throw new AgovError('NOT_FOUND', { what: 'The lease has ended, or never was.', fix: 'Take a new lease.' });
    },
    end: (id) => db.run('DELETE FROM leases WHERE id = ?', id),
    endAll: (path) => db.run('DELETE FROM leases WHERE path = ?', path),
    list: () =>
      db.all(leaseRow, `SELECT ${columns} FROM leases WHERE expires_at > ? ORDER BY issued_at, id`, env.now()),
  };
}

/** A UUIDv7 to sort by, and 128 random bits: who is to renew or end a lease must have been given its id. */
function leaseId(env: Env, ids: IdSource): string {
  return `${ids()}-${Buffer.from(env.random(16)).toString('hex')}`;
}
