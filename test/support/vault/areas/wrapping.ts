/** Answers in envelopes: asked for by a header, opened once, looked at without opening. */
import type { Env } from '../../../../src/kernel/index.ts';
import type { FakeVault } from '../fake.ts';
import { part, type Reply, recorded } from '../recorded.ts';
import { milliseconds } from './area.ts';

export function wrap({ identity }: FakeVault, env: Env, path: string, ttl: string, reply: Reply): Reply {
  const token = `hvs.fake-token-wrapping-${identity.next()}-${'x'.repeat(16)}`;
  identity.wrapped.set(token, { reply, path, until: env.now() + milliseconds(ttl) });
  const made = { token, ttl: milliseconds(ttl) / 1000, creation_path: path, accessor: 'fake-wrapping-accessor' };
  return recorded('secret id, response-wrapped', { wrap_info: part('secret id, response-wrapped', 'wrap_info', made) });
}

/** Undefined where it is no request about an envelope. Both are answered without a token of one's own. */
export function unwrap(
  { identity: { wrapped } }: FakeVault,
  env: Env,
  path: string,
  opener: string,
): Reply | undefined {
  if (path !== 'sys/wrapping/lookup' && path !== 'sys/wrapping/unwrap') return undefined;
  const found = wrapped.get(opener);
  if (!found || found.until <= env.now()) return recorded('second unwrap is refused: tamper signal');
  if (path === 'sys/wrapping/lookup') {
    const data = { creation_path: found.path, creation_ttl: 60 };
    return recorded('check creation_path before unwrapping', {
      data: part('check creation_path before unwrapping', 'data', data),
    });
  }
  wrapped.delete(opener);
  return found.reply;
}
