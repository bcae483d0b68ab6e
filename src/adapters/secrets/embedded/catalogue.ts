/**
 * Which secrets there are, sealed as one text: the truth about paths and versions. A value's row is believed only if it
 * opens as the version that stands here, so a swapped, missing, foreign or brought-back row shows. What does not show
 * is the whole file set back to an earlier state: that takes a witness outside of it.
 */
import { z } from 'zod';
import { AgovError, sameSecret } from '../../../kernel/index.ts';
import type { SecretInfo } from '../port.ts';
import type { Sealer } from './seal.ts';
import type { Database } from './store/database.ts';
import { fileDamaged } from './store/faults.ts';

const entrySchema = z.strictObject({
  path: z.string(),
  version: z.int().min(1),
  changedAt: z.int(),
  /** A removed secret stays here without a value, so that its versions go on. */
  removed: z.boolean(),
});
type Entry = z.infer<typeof entrySchema>;

const bytes = z.instanceof(Uint8Array);
const catalogueRow = z.strictObject({ key_check: bytes, nonce: bytes, sealed: bytes });
const countRow = z.strictObject({ count: z.int() });
const purpose = 'agov secrets v1: catalogue';

export interface Catalogue {
  get(path: string): Entry | undefined;
  /** Those that are not removed, by path. */
  list(): readonly SecretInfo[];
  /** To be called inside the transaction that changes the value's row. */
  put(entry: Entry): void;
}

/** Whether the file holds anything that needs its key. */
export function holdsSecrets(db: Database): boolean {
  const sql = 'SELECT (SELECT count(*) FROM catalogue) + (SELECT count(*) FROM secret_values) AS count';
  return (db.one(countRow, sql)?.count ?? 0) > 0;
}

export function catalogue(db: Database, seal: Sealer, keyPath: string): Catalogue {
  const read = (): Map<string, Entry> => {
    const row = db.one(catalogueRow, 'SELECT key_check, nonce, sealed FROM catalogue WHERE id = 1');
    if (!row) {
      if (holdsSecrets(db)) throw fileDamaged(db.file, 'Its catalogue is missing.');
      return new Map();
    }
    if (!sameSecret(Buffer.from(row.key_check).toString('hex'), seal.check.toString('hex'))) {
      throw new AgovError('KEY_INVALID', {
        what: `The key file ${keyPath} does not belong to the secrets file ${db.file}.`,
        fix: 'Restore the key that the file was made with, or move the file away and store the secrets again.',
      });
    }
    const text = seal.open(row, purpose);
    if (text === undefined) throw fileDamaged(db.file, 'Its catalogue is not what was sealed.');
    const entries = z.array(entrySchema).parse(JSON.parse(text));
    return new Map(entries.map((entry) => [entry.path, entry]));
  };

  return {
    get: (path) => read().get(path),
    list: () =>
      [...read().values()]
        .filter((entry) => !entry.removed)
        .sort((a, b) => (a.path < b.path ? -1 : 1))
        .map(({ path, version, changedAt }) => ({ path, version, changedAt })),
    put(entry) {
      const entries = read().set(entry.path, entry);
      const { nonce, sealed } = seal.seal(JSON.stringify([...entries.values()]), purpose);
      const sql = 'REPLACE INTO catalogue (id, key_check, nonce, sealed) VALUES (1, ?, ?, ?)';
      db.run(sql, seal.check, nonce, sealed);
    },
  };
}
