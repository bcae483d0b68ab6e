/** What every token may do. */
import { z } from 'zod';
import { part, recorded } from '../recorded.ts';
import { seconds } from '../tokens.ts';
import { type Area, milliseconds } from './area.ts';
import { revoked } from './leases.ts';

export const self: Area = (vault, { env, path, token, body }) => {
  switch (path) {
    case 'auth/token/lookup-self': {
      const { accessor, text: id, type } = token;
      const data = { accessor, id, type, ttl: seconds(token.until - env.now()), renewable: type === 'service' };
      return recorded('lookup self', { data: part('lookup self', 'data', data) });
    }
    case 'auth/token/renew-self':
      return vault.tokens.renew(token, milliseconds(body['increment']));
    case 'auth/token/revoke-self':
      return revoked(vault, token);
    case 'sys/capabilities-self': {
      const paths = z.array(z.string()).parse(body['paths']);
      const data = Object.fromEntries(paths.map((one) => [one, vault.tokens.may(token, one)]));
      return recorded('capabilities self', { data });
    }
  }
  const mount = /^sys\/internal\/ui\/mounts\/(.+)$/.exec(path)?.[1];
  if (mount === undefined) return undefined;
  const found = vault.mounts.get(mount);
  const sees = vault.tokens.may(token, `${mount}/data/dev/x`);
  if (!found || sees.includes('deny')) return recorded('outside the tier: permission denied');
  return recorded('read', { data: { ...found, path: `${mount}/`, description: '' } });
};
