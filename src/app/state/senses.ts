/** The model that search by sense asks, with its key leased for each call and on record. */
import { openEmbedder } from '../../adapters/models/embeddings/index.ts';
import type { Senses } from '../../context/memory/index.ts';
import { AgovError } from '../../kernel/index.ts';
import { settingsOf, withModelKey } from '../context/model-keys.ts';
import type { Frame } from '../frame.ts';
import type { Stores } from './stores.ts';

const setting = 'memory.embeddings';

/** Undefined where none is configured. @throws CONFIG_INVALID */
export function openSenses({ env, config }: Frame, stores: Stores): Senses | undefined {
  const model = config.memory.embeddings;
  if (model === undefined) return undefined;
  const settings = settingsOf(config, setting, model);
  const embedder = openEmbedder(model, settings, env);
  const { key: path, deadlineMs } = embedder;
  return {
    model,
    embed: (texts, signal) =>
      withModelKey(stores, { model, path, setting, deadlineMs }, async (key) => {
        const late = new AbortController();
        const what = `The model "${model}" took longer than ${settings.deadline}.`;
        const fix = 'Try again, or raise "deadline" of the model in agov.yaml.';
        using _timer = env.timer(() => late.abort(new AgovError('MODEL_UNAVAILABLE', { what, fix })), deadlineMs);
        return embedder.embed(texts, { key, signal: AbortSignal.any([signal, late.signal]) });
      }),
  };
}
