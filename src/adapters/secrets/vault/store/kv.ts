/** Secrets as KV version 2: one text a secret, check-and-set at each write, versions that go on over a removal. */
import { AgovError, type Secret } from '../../../../kernel/index.ts';
import {
  type Call,
  inParallel,
  keysAnswer,
  metadataAnswer,
  refusalAnswer,
  shaped,
  unavailable,
  type Vault,
  valueAnswer,
  writtenAnswer,
} from '../../../vault-client/index.ts';
import { isSecretPath } from '../../paths.ts';
import type { SecretInfo } from '../../port.ts';

export interface Kv {
  set(call: Call, path: string, value: Secret): Promise<SecretInfo>;
  /** Undefined where there is none, or none any more. */
  info(call: Call, path: string): Promise<SecretInfo | undefined>;
  list(call: Call, prefix: string | undefined): Promise<readonly SecretInfo[]>;
  /** Destroys every version; their numbers stay taken. @throws NOT_FOUND */
  remove(call: Call, path: string): Promise<void>;
  /** With a token of its own. @throws NOT_FOUND */
  read(call: Call, path: string, token: Secret): Promise<KvValue>;
}

export interface KvValue {
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const field = 'value';
const setAttempts = 10;
const maxListed = 10_000;

export function kv(vault: Vault, mount: string): Kv {
  const metadata = async (call: Call, path: string) => {
    const at = `${mount}/metadata/${keyOf(path)}`;
    const answer = await vault.send(call, { method: 'GET', path: at }, 404);
    return answer.status === 404 ? undefined : shaped(at, answer, metadataAnswer).data;
  };

  const info: Kv['info'] = async (call, path) => {
    const found = await metadata(call, path);
    const state = found?.versions?.[`${found.current_version}`];
    if (!found || !state || state.destroyed || state.deletion_time !== '') return undefined;
    return { path, version: found.current_version, changedAt: state.created_time };
  };

  const keysBelow = async (call: Call, folder: string): Promise<readonly string[]> => {
    const at = `${mount}/metadata/${keyOf(folder)}`;
    const answer = await vault.send(call, { method: 'LIST', path: at }, 404);
    return answer.status === 404 ? [] : shaped(at, answer, keysAnswer).data.keys;
  };

  /** Every path below `folder` ('' or ending in a slash). What agov could not have written is passed over. */
  const walk = async (call: Call, folder: string, found: string[]): Promise<string[]> => {
    const keys = await keysBelow(call, folder);
    const names = keys.flatMap((key) => pathOf(`${keyOf(folder)}${key}`));
    found.push(...names.filter((name) => !name.endsWith('/')));
    if (found.length > maxListed) throw tooMany();
    for (const name of names) if (name.endsWith('/')) await walk(call, name, found);
    return found;
  };

  return {
    info,
    async set(call, path, value) {
      for (let attempt = 1; ; attempt++) {
        const cas = (await metadata(call, path))?.current_version ?? 0;
        const at = `${mount}/data/${keyOf(path)}`;
        const body = { options: { cas }, data: { [field]: value.reveal() } };
        const answer = await vault.send(call, { method: 'POST', path: at, body, hide: value }, 400);
        if (answer.status !== 400) {
          const { version, created_time } = shaped(at, answer, writtenAnswer).data;
          return { path, version, changedAt: created_time };
        }
        // Somebody else has written in between: theirs is the version before ours.
        if (!isCasMismatch(answer.json) || attempt === setAttempts) throw notWritten(path, isCasMismatch(answer.json));
      }
    },
    async list(call, prefix) {
      const paths = await walk(call, prefix === undefined ? '' : `${prefix}/`, []);
      if (prefix !== undefined) paths.push(prefix);
      const infos = await inParallel(paths, (path) => info(call, path));
      return infos.filter((one) => one !== undefined).sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async remove(call, path) {
      const found = await metadata(call, path);
      if (!found || !(await info(call, path))) throw noSecret(path);
      const versions = Object.keys(found.versions ?? {}).map(Number);
      await vault.send(call, { method: 'PUT', path: `${mount}/destroy/${keyOf(path)}`, body: { versions } });
    },
    async read(call, path, token) {
      const at = `${mount}/data/${keyOf(path)}`;
      const answer = await vault.send(call, { method: 'GET', path: at, token }, 404);
      if (answer.status === 404) throw noSecret(path);
      const { data, metadata: state } = shaped(at, answer, valueAnswer).data;
      if (data === null) throw noSecret(path);
      return { version: state.version, fields: data };
    },
  };
}

/** Vault's storage takes no two dots in a row, and no path of ours has a tilde: `a..b` is kept as `a.~.b`. */
function keyOf(path: string): string {
  return path.replace(/\.(?=\.)/g, '.~');
}

/** The path or folder that is kept at `key`; none where agov could not have written it. */
function pathOf(key: string): string[] {
  const path = key.replaceAll('~', '');
  return keyOf(path) === key && isSecretPath(path.replace(/\/$/, '')) ? [path] : [];
}

export function noSecret(path: string): AgovError {
  return new AgovError('NOT_FOUND', {
    what: `There is no secret at "${path}".`,
    fix: 'Run "agov secret list" for the names that there are.',
  });
}

function isCasMismatch(json: unknown): boolean {
  const refusal = refusalAnswer.safeParse(json);
  return (
    refusal.success && refusal.data.errors.some((text) => text.startsWith('check-and-set parameter did not match'))
  );
}

function notWritten(path: string, raced: boolean): AgovError {
  return raced
    ? new AgovError('CONFLICT', { what: `Others write "${path}" all the time.`, fix: 'Try again when they are done.' })
    : unavailable('refused', {
        what: `Vault refused to store "${path}".`,
        why: 'It answered 400 to a write of one text.',
        fix: 'Check that the mount is KV version 2, and the limits that are set on it.',
      });
}

function tooMany(): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `There are over ${maxListed} secrets.`,
    fix: 'List them by prefix: agov secret list dev',
  });
}
