/**
 * Locks with an end and a fencing token. One counter serves all names. Its step is synced to disk before the grant is
 * handed out, so no power failure brings a token back; a new file starts above every older one's (store/schema.ts).
 */
import { z } from 'zod';
import type { Env } from '../../../kernel/index.ts';
import { boundedInt, boundedName, boundedTtl } from '../bounds.ts';
import type { HeldLock, LockHolder, Locks } from '../port.ts';
import type { Database } from './store/database.ts';

const tokenRow = z.strictObject({ token: z.int().min(1) });
const lockRow = z
  .strictObject({ owner: z.string(), token: z.int().min(1), expires_at: z.int() })
  .transform(({ expires_at, ...rest }): LockHolder => ({ ...rest, expiresAt: expires_at }));

const heldRow = z
  .strictObject({ name: z.string(), owner: z.string(), token: z.int().min(1), expires_at: z.int() })
  .transform(({ expires_at, ...rest }): HeldLock => ({ ...rest, expiresAt: expires_at }));

export function locks(db: Database, env: Env): Locks {
  const holder = (name: string): LockHolder | undefined =>
    db.one(
      lockRow,
      'SELECT owner, token, expires_at FROM locks WHERE name = ? AND expires_at > ?',
      boundedName('lock name', name),
      env.now(),
    );

  return {
    async acquire(name, owner, ttlMs) {
      boundedName('lock owner', owner);
      boundedTtl(ttlMs);
      // Those who wait for a lock ask often: they take no write lock as long as the answer is no.
      if (holder(name)) return undefined;
      return db.write(() => {
        if (holder(name)) return undefined;
        const now = env.now();
        const expiresAt = now + ttlMs;
        db.run('DELETE FROM locks WHERE expires_at <= ?', now);
        const token = nextToken(db);
        db.run(
          'REPLACE INTO locks (name, owner, token, expires_at) VALUES (?, ?, ?, ?)',
          name,
          owner,
          token,
          expiresAt,
        );
        return { token, expiresAt };
      }, 'durable');
    },
    async renew(name, token, ttlMs) {
      const now = env.now();
      const changed = db.run(
        'UPDATE locks SET expires_at = ? WHERE name = ? AND token = ? AND expires_at > ?',
        now + boundedTtl(ttlMs),
        boundedName('lock name', name),
        boundedInt('fencing token', token, 0),
        now,
      );
      return changed === 1;
    },
    async release(name, token) {
      const changed = db.run(
        'DELETE FROM locks WHERE name = ? AND token = ? AND expires_at > ?',
        boundedName('lock name', name),
        boundedInt('fencing token', token, 0),
        env.now(),
      );
      return changed === 1;
    },
    async holder(name) {
      return holder(name);
    },
    async held() {
      const sql = 'SELECT name, owner, token, expires_at FROM locks WHERE expires_at > ? ORDER BY name';
      return db.all(heldRow, sql, env.now());
    },
  };
}

function nextToken(db: Database): number {
  const row = db.one(tokenRow, 'UPDATE fence SET token = token + 1 WHERE id = 1 RETURNING token');
  return tokenRow.parse(row).token;
}
