/** Counters with a limit: read, compared and written under one write lock, so that no two processes pass it together. */
import { z } from 'zod';
import { boundedInt, boundedName, invalid } from '../bounds.ts';
import type { Counters } from '../port.ts';
import type { Database } from './store/database.ts';

const counterRow = z.strictObject({ value: z.int() });
const least = Number.MIN_SAFE_INTEGER;

export function counters(db: Database): Counters {
  const read = (name: string): number =>
    db.one(counterRow, 'SELECT value FROM counters WHERE name = ?', boundedName('counter name', name))?.value ?? 0;

  return {
    async add(name, amount, limit) {
      boundedInt('amount', amount, least);
      if (limit !== undefined) boundedInt('limit', limit, least);
      return db.write(() => {
        const value = read(name);
        const sum = value + amount;
        if (limit !== undefined && sum > limit) return { value, accepted: false };
        if (!Number.isSafeInteger(sum)) {
          throw invalid(`The counter "${name}" would become ${sum}.`, 'Keep it to safe integers, or reset it.');
        }
        db.run('REPLACE INTO counters (name, value) VALUES (?, ?)', name, sum);
        return { value: sum, accepted: true };
      });
    },
    async get(name) {
      return read(name);
    },
    async reset(name) {
      db.run('DELETE FROM counters WHERE name = ?', boundedName('counter name', name));
    },
  };
}
