/** The shared board. A removed key keeps its row without a value, so that its versions go on and never repeat. */
import { z } from 'zod';
import { boundedInt, boundedJson, boundedName, boundedPrefix } from '../bounds.ts';
import type { Board, BoardItem } from '../port.ts';
import { storedJson } from '../stored-json.ts';
import type { Database } from './store/database.ts';

const itemRow: z.ZodType<BoardItem> = z.strictObject({
  key: z.string(),
  value: storedJson,
  version: z.int().min(1),
});

export function board(db: Database): Board {
  return {
    async get(key) {
      const sql = 'SELECT key, value, version FROM board WHERE key = ? AND value IS NOT NULL';
      return db.one(itemRow, sql, boundedName('board key', key));
    },
    async set(key, value, expected) {
      boundedName('board key', key);
      boundedInt('expected version', expected, 0);
      const text = boundedJson('board value', value);
      if (expected > 0) {
        const sql = `UPDATE board SET value = ?, version = version + 1
                     WHERE key = ? AND version = ? AND value IS NOT NULL RETURNING key, value, version`;
        return db.write(() => db.one(itemRow, sql, text, key, expected));
      }
      const sql = `INSERT INTO board (key, value, version) VALUES (?, ?, 1)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = version + 1
                   WHERE board.value IS NULL RETURNING key, value, version`;
      return db.write(() => db.one(itemRow, sql, key, text));
    },
    async remove(key, expected) {
      const changed = db.run(
        'UPDATE board SET value = NULL WHERE key = ? AND version = ? AND value IS NOT NULL',
        boundedName('board key', key),
        boundedInt('expected version', expected, 0),
      );
      return changed === 1;
    },
    async list(prefix) {
      const sql = `SELECT key, value, version FROM board
                   WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 AND value IS NOT NULL ORDER BY key`;
      return db.all(itemRow, sql, boundedPrefix('board prefix', prefix));
    },
  };
}
