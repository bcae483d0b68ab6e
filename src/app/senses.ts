/** The model that search by sense asks, with its key leased for each call and on record. */
import { openEmbedder } from '../adapters/models/embeddings/index.ts';
import type { Senses } from '../context/memory/index.ts';
import { AgovError, type Secret } from '../kernel/index.ts';
import { nearest } from '../schemas/index.ts';
import type { Frame } from './frame.ts';
import type { Stores } from './stores.ts';

const leaseMs = 120_000;

/** Undefined where none is configured. @throws CONFIG_INVALID */
export function openSenses({ env, config }: Frame, { ledger, secrets }: Stores): Senses | undefined {
  const name = config.memory.embeddings;
  if (name === undefined) return undefined;
  const settings = Object.hasOwn(config.models, name) ? config.models[name] : undefined;
  if (!settings) {
    const hint = nearest(name, Object.keys(config.models));
    throw new AgovError('CONFIG_INVALID', {
      what: `memory.embeddings names "${name}", and there is no such model.`,
      fix: hint === undefined ? 'Set it up under "models" in agov.yaml.' : `Did you mean "${hint}"?`,
    });
  }
  const embedder = openEmbedder(name, settings, env);

  async function withKey<T>(use: (key: Secret | undefined) => Promise<T>): Promise<T> {
    const path = embedder.key;
    if (path === undefined) return use(undefined);
    const record = await ledger();
    const body = { path, model: name, for: 'memory.embeddings' };
    const { id } = await record.append({ kind: 'secret', body: { step: 'lease', ...body } });
    const store = await secrets();
    const lease = await store.lease(path, { ttlMs: leaseMs, intent: id });
    try {
      return await use(lease.value);
    } finally {
      await store.end(lease.id);
      await record.append({ kind: 'secret', parent: id, body: { step: 'ended', path } });
    }
  }

  return {
    model: name,
    embed: (texts, signal) =>
      withKey(async (key) => {
        const late = new AbortController();
        const what = `The model "${name}" took longer than ${settings.deadline}.`;
        const fix = 'Try again, or raise "deadline" of the model in agov.yaml.';
        using _timer = env.timer(
          () => late.abort(new AgovError('MODEL_UNAVAILABLE', { what, fix })),
          embedder.deadlineMs,
        );
        return embedder.embed(texts, { key, signal: AbortSignal.any([signal, late.signal]) });
      }),
  };
}
