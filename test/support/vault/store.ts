/** The fake Vault's KV version 2 mount. */
import { type Env, isoTime } from '../../../src/kernel/index.ts';
import { type Reply, recorded } from './recorded.ts';

interface Version {
  readonly created_time: string;
  data: unknown;
  deletion_time: string;
  destroyed: boolean;
}

export interface KvStore {
  readonly secrets: Map<string, Version[]>;
  answer(method: string, rest: string, list: boolean, body: KvBody): Reply | undefined;
}

interface KvBody {
  readonly options?: { readonly cas?: number };
  readonly data?: unknown;
  readonly versions?: readonly number[];
}

export function kvStore(env: Env): KvStore {
  const secrets = new Map<string, Version[]>();
  const missing = (): Reply => recorded('missing');

  const write = (path: string, { options, data }: KvBody): Reply => {
    const versions = secrets.get(path) ?? [];
    if (options?.cas !== undefined && options.cas !== versions.length) {
      return recorded('write again with cas 0: mismatch');
    }
    const made = { created_time: isoTime(env.now()), deletion_time: '', destroyed: false };
    secrets.set(path, [...versions, { ...made, data }]);
    return recorded('write, cas 0 (create only)', { data: { ...made, version: versions.length + 1 } });
  };
  const read = (path: string): Reply => {
    const versions = secrets.get(path);
    const last = versions?.at(-1);
    if (!versions || !last) return missing();
    const { data, ...state } = last;
    const metadata = { ...state, version: versions.length };
    const gone = last.destroyed || last.deletion_time !== '';
    if (gone) return recorded('soft-deleted read is 404 with a body', { data: { data: null, metadata } });
    return recorded('read', { data: { data, metadata } });
  };
  /** Not recorded; as the API's documentation has it. */
  const metadata = (path: string): Reply => {
    const versions = secrets.get(path);
    if (!versions) return missing();
    const states = versions.map(({ data: _, ...state }, i) => [i + 1, state]);
    const data = {
      ...{ cas_required: false, current_version: versions.length, max_versions: 0, oldest_version: 1 },
      ...{ created_time: versions[0]?.created_time, updated_time: versions.at(-1)?.created_time },
      versions: Object.fromEntries(states),
    };
    return recorded('read', { data });
  };
  const list = (folder: string): Reply => {
    const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
    const below = [...secrets.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
    const keys = [...new Set(below.map((rest) => /^[^/]*\/?/.exec(rest)?.[0] ?? ''))].sort();
    return keys.length === 0 ? missing() : recorded('list', { data: { keys } });
  };

  return {
    secrets,
    answer(method, rest, asList, body) {
      // As Vault's storage has it.
      if (rest.includes('..'))
        return { status: 500, body: { errors: ['1 error occurred:\n\t* relative paths not supported\n\n'] } };
      const [, kind, path = ''] = /^(data|metadata|destroy)\/?(.*)$/.exec(rest) ?? [];
      if (kind === 'data' && method === 'GET') return read(path);
      if (kind === 'data' && method === 'POST') return write(path, body);
      if (kind === 'metadata' && method === 'GET') return asList ? list(path) : metadata(path);
      if (kind === 'metadata' && method === 'DELETE') secrets.delete(path);
      else if (kind !== 'destroy') return undefined;
      for (const version of body.versions ?? []) {
        const state = secrets.get(path)?.[version - 1];
        if (state) Object.assign(state, { destroyed: true, data: undefined });
      }
      return recorded('soft delete');
    },
  };
}
