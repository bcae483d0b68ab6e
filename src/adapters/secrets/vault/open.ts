/** Secrets in HashiCorp Vault: KV version 2 for what is stored, any engine with leases for what is made. */
import type { Env, IdSource } from '../../../kernel/index.ts';
import type { Call, Vault } from '../../vault-client/index.ts';
import { checkedIntent, checkedPath, checkedTtl, checkedValue } from '../paths.ts';
import type { SecretInfo, Secrets } from '../port.ts';
import { type Engine, make, notStored, renewMade } from './store/engines.ts';
import { type Keeper, keeper } from './store/keeper.ts';
import { type Kv, kv } from './store/kv.ts';
import { type Given, type Leases, leases } from './store/leases.ts';
import { checkMount } from './store/mount.ts';
import { records } from './store/records.ts';

export interface VaultSecretsOptions {
  readonly vault: Vault;
  /** A KV version 2 mount. */
  readonly mount: string;
  /** Secrets that are made for each lease, by path. */
  readonly engines?: Readonly<Record<string, Engine>> | undefined;
  readonly env: Env;
  readonly ids: IdSource;
}

/** Nothing is asked before the first call, so that a server that is down at the start is found when it is back. */
export function openVaultSecrets(options: VaultSecretsOptions): Secrets {
  const { vault, mount, env, engines = {} } = options;
  return secrets({
    ...{ vault, mount, env },
    engines: new Map(Object.entries(engines)),
    stored: kv(vault, mount),
    issued: leases({ ...options, records: records(vault, mount) }),
    kept: keeper(env),
  });
}

interface Parts {
  readonly vault: Vault;
  readonly mount: string;
  readonly env: Env;
  readonly engines: ReadonlyMap<string, Engine>;
  readonly stored: Kv;
  readonly issued: Leases;
  readonly kept: Keeper;
}

function secrets({ vault, mount, env, engines, stored, issued, kept }: Parts): Secrets {
  /** Leases of our token that nobody has ended here. */
  const live = new Map<string, Disposable>();
  let checked = false;

  const within = <T>(work: (call: Call) => Promise<T>): Promise<T> =>
    vault.within(async (call) => {
      if (!checked) await checkMount(vault, call, mount);
      checked = true;
      return work(call);
    });

  const endOne = (id: string): Promise<void> =>
    within(async (call) => {
      await issued.end(call, id);
      kept.forget(id);
      live.get(id)?.[Symbol.dispose]();
      live.delete(id);
    });

  const keepAlive = (id: string, { leaseId, lifeMs, renewable }: Given, ttlMs: number): void => {
    if (leaseId === undefined || lifeMs === undefined || !renewable || lifeMs >= ttlMs) return;
    const end = env.monotonic() + ttlMs;
    kept.keep(id, lifeMs, async () => {
      const left = end - env.monotonic();
      return left <= 0 ? undefined : within((call) => renewMade(vault, call, leaseId, left));
    });
  };

  return {
    async set(path, value) {
      checkedPath(path);
      checkedValue(value);
      if (engines.has(path)) throw notStored(path);
      return within((call) => stored.set(call, path, value));
    },
    async list(prefix) {
      if (prefix !== undefined) checkedPath(prefix);
      const made = [...engines.keys()].filter((path) => isBelow(path, prefix)).map((path) => madeInfo(path, env));
      const found = await within((call) => stored.list(call, prefix));
      return [...found.filter(({ path }) => !engines.has(path)), ...made].sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async remove(path) {
      checkedPath(path);
      if (engines.has(path)) throw notStored(path);
      await within(async (call) => {
        await stored.remove(call, path);
        await issued.endAll(call, path);
      });
    },
    async lease(path, { ttlMs, intent, identity }) {
      const want = { path: checkedPath(path), ttlMs: checkedTtl(ttlMs), intent: checkedIntent(intent), identity };
      return within(async (call) => {
        const engine = engines.get(path);
        let given: Given | undefined;
        const lease = await issued.issue(call, want, async (token) => {
          given = engine
            ? { version: 1, ...(await make(vault, call, engine, token)) }
            : await stored.read(call, path, token);
          return given;
        });
        // Below the agent's own token it outlives ours.
        if (identity === undefined) live.set(lease.id, vault.lean());
        if (given) keepAlive(lease.id, given, ttlMs);
        return lease;
      });
    },
    async renew(leaseId, ttlMs) {
      checkedTtl(ttlMs);
      return within((call) => issued.renew(call, leaseId, ttlMs));
    },
    async end(leaseId) {
      try {
        await endOne(leaseId);
      } catch (error) {
        kept.retry(leaseId, () => endOne(leaseId));
        throw error;
      }
    },
    leases: () => within((call) => issued.list(call)),
    async [Symbol.asyncDispose]() {
      kept[Symbol.dispose]();
    },
  };
}

function isBelow(path: string, prefix: string | undefined): boolean {
  return prefix === undefined || path === prefix || path.startsWith(`${prefix}/`);
}

/** Each lease makes a new value, so it is never older than now. */
function madeInfo(path: string, env: Env): SecretInfo {
  return { path, version: 1, changedAt: env.now() };
}
