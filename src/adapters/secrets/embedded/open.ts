/** Secrets in one encrypted SQLite file that several processes share; the key lies elsewhere. */
import { z } from 'zod';
import { AgovError, type Env, type IdSource, Secret } from '../../../kernel/index.ts';
import { checkedIntent, checkedPath, checkedTtl, checkedValue } from '../paths.ts';
import type { Secrets } from '../port.ts';
import { type Catalogue, catalogue, holdsSecrets } from './catalogue.ts';
import { loadOrCreateKey } from './key.ts';
import { leases } from './leases.ts';
import { type Sealer, sealer } from './seal.ts';
import { type Database, openDatabase } from './store/database.ts';
import { secretDamaged } from './store/faults.ts';

export interface EmbeddedSecretsOptions {
  /** Absolute path of the file; it and its folder are created where they are missing. */
  readonly path: string;
  /** Absolute path of the key file, outside the project; made on first use. */
  readonly keyPath: string;
  readonly env: Env;
  readonly ids: IdSource;
}

const bytes = z.instanceof(Uint8Array);
const valueRow = z.strictObject({ nonce: bytes, sealed: bytes });

/** @throws AgovError SECRETS_UNAVAILABLE, KEY_INVALID */
export async function openEmbeddedSecrets({ path: file, keyPath, env, ids }: EmbeddedSecretsOptions): Promise<Secrets> {
  const db = await openDatabase(file, env);
  try {
    const seal = sealer(loadOrCreateKey(keyPath, env, holdsSecrets(db)), env);
    const known = catalogue(db, seal, keyPath);
    // Read once, so that a wrong key or a damaged catalogue shows at the start.
    known.list();
    return secrets(db, seal, known, env, ids);
  } catch (error) {
    db[Symbol.dispose]();
    throw error;
  }
}

function secrets(db: Database, seal: Sealer, known: Catalogue, env: Env, ids: IdSource): Secrets {
  const issued = leases(db, env, ids);

  return {
    async set(path, value) {
      checkedPath(path);
      const text = checkedValue(value);
      return db.write(() => {
        const info = { path, version: (known.get(path)?.version ?? 0) + 1, changedAt: env.now() };
        const { nonce, sealed } = seal.seal(text, valuePurpose(path, info.version));
        known.put({ ...info, removed: false });
        db.run('REPLACE INTO secret_values (path, nonce, sealed) VALUES (?, ?, ?)', path, nonce, sealed);
        return info;
      });
    },
    async list(prefix) {
      const all = known.list();
      if (prefix === undefined) return all;
      checkedPath(prefix);
      return all.filter(({ path }) => path === prefix || path.startsWith(`${prefix}/`));
    },
    async remove(path) {
      checkedPath(path);
      db.write(() => {
        const entry = present(known, path);
        db.run('DELETE FROM secret_values WHERE path = ?', path);
        issued.endAll(path);
        known.put({ ...entry, changedAt: env.now(), removed: true });
      });
    },
    async lease(path, { ttlMs, intent }) {
      checkedPath(path);
      checkedTtl(ttlMs);
      checkedIntent(intent);
      return db.write(() => {
        const { version } = present(known, path);
        const row = db.one(valueRow, 'SELECT nonce, sealed FROM secret_values WHERE path = ?', path);
        const text = row && seal.open(row, valuePurpose(path, version));
        if (text === undefined) throw secretDamaged(path);
        return { ...issued.issue(path, version, intent, ttlMs), value: new Secret(text) };
      });
    },
    async renew(leaseId, ttlMs) {
      return issued.renew(leaseId, checkedTtl(ttlMs));
    },
    async end(leaseId) {
      issued.end(leaseId);
    },
    async leases() {
      return issued.list();
    },
    async [Symbol.asyncDispose]() {
      db[Symbol.dispose]();
    },
  };
}

function present(known: Catalogue, path: string) {
  const entry = known.get(path);
  if (entry && !entry.removed) return entry;
  throw new AgovError('NOT_FOUND', {
    what: `There is no secret at "${path}".`,
    fix: 'Run "agov secret list" for the names that there are.',
  });
}

/** A path holds no line end, so no two pairs give the same text. */
function valuePurpose(path: string, version: number): string {
  return `agov secrets v1: value\n${path}\n${version}`;
}
