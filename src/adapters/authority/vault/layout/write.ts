/** Makes a wanted thing, or changes what stands there into it; members that are not compared stay as they are. */
import type { Env, Json, JsonObject } from '../../../../kernel/index.ts';
import type { Call, Vault } from '../../../vault-client/index.ts';
import type { Wanted } from './wanted.ts';

interface Hand {
  readonly vault: Vault;
  readonly env: Env;
  readonly call: Call;
}

const description = 'made by agov vault setup';
const upgradePauseMs = 100;

export async function write({ vault, env, call }: Hand, wanted: Wanted, is: JsonObject | null): Promise<void> {
  const send = (path: string, body: Json) => vault.send(call, { method: 'POST', path, body });
  const { should } = wanted;
  switch (wanted.kind) {
    case 'audit':
      await send(wanted.path, { type: 'file', description, options: { file_path: wanted.file } });
      return;
    case 'kv':
      if (!is) {
        await send(wanted.path, { type: 'kv', description, options: { version: '2' } });
        await untilReady({ vault, env, call }, wanted.mount);
      }
      await send(`${wanted.mount}/config`, { cas_required: true });
      return;
    case 'transit':
      await send(wanted.path, { type: 'transit', description });
      return;
    case 'key':
      await (is ? send(`${wanted.path}/config`, { deletion_allowed: false }) : send(wanted.path, { type: 'ed25519' }));
      return;
    case 'policy':
      await vault.send(call, { method: 'PUT', path: wanted.path, body: { policy: wanted.text } });
      return;
    case 'login': {
      const { type, ...config } = should;
      // Not by sys/auth/…/tune, which does the same and asks for sudo.
      if (is) await send(`sys/mounts/auth/${wanted.mount}/tune`, config);
      else await send(wanted.path, { ...{ type, description }, config: asText(config) });
      return;
    }
    case 'group':
      // Members are left out, and so left alone.
      if (is) await send(wanted.path, { policies: should['policies'], member_group_ids: [] });
      else await send('identity/group', { name: wanted.name, type: 'internal', policies: should['policies'] });
      return;
  }
}

export async function removePolicy({ vault, call }: Hand, path: string): Promise<void> {
  await vault.send(call, { method: 'DELETE', path });
}

/** A new mount takes times as texts, a tuned one as numbers too. */
function asText(config: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, typeof value === 'number' ? `${value}s` : value]),
  );
}

/** A new mount of version 2 is still upgrading for a moment, and says so with 400. Ends with the call. */
async function untilReady({ vault, env, call }: Hand, mount: string): Promise<void> {
  const request = { method: 'GET', path: `${mount}/config` } as const;
  while ((await vault.send(call, request, 400)).status === 400) await env.sleep(upgradePauseMs, call.signal);
}
