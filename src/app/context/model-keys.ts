/** The key of a model that the project itself asks, leased for one call and on record. */
import { AgovError, type Secret } from '../../kernel/index.ts';
import { type Config, type ModelConfig, nearest } from '../../schemas/index.ts';
import type { Stores } from '../state/stores.ts';

/** Longer than the model may take. */
const spareMs = 10_000;

export interface KeyUse {
  /** Name of the model in the configuration. */
  readonly model: string;
  /** Path of its secret. */
  readonly path: string | undefined;
  /** The setting that names it. */
  readonly setting: string;
  readonly deadlineMs: number;
}

export async function withModelKey<T>(
  { ledger, secrets }: Pick<Stores, 'ledger' | 'secrets'>,
  { model, path, setting, deadlineMs }: KeyUse,
  use: (key: Secret | undefined) => Promise<T>,
): Promise<T> {
  if (path === undefined) return use(undefined);
  const record = await ledger();
  const { id } = await record.append({ kind: 'secret', body: { step: 'lease', path, model, for: setting } });
  const store = await secrets();
  const lease = await store.lease(path, { ttlMs: deadlineMs + spareMs, intent: id });
  try {
    return await use(lease.value);
  } finally {
    await store.end(lease.id);
    await record.append({ kind: 'secret', parent: id, body: { step: 'ended', path } });
  }
}

/** @throws CONFIG_INVALID where a setting names a model that is not there */
export function settingsOf({ models }: Config, setting: string, name: string): ModelConfig {
  const settings = Object.hasOwn(models, name) ? models[name] : undefined;
  if (settings) return settings;
  const hint = nearest(name, Object.keys(models));
  throw new AgovError('CONFIG_INVALID', {
    what: `${setting} names "${name}", and there is no such model.`,
    fix: hint === undefined ? 'Set it up under "models" in agov.yaml.' : `Did you mean "${hint}"?`,
  });
}
