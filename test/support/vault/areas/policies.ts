/** ACL policies as they are written and read back, and in force from the next request on. */

import { type Reply, recorded } from '../recorded.ts';
import type { Policy } from '../tokens.ts';
import type { Area } from './area.ts';

export const policies: Area = (vault, { method, list, path, body }) => {
  const [, name] = /^sys\/policies\/acl(?:\/(.+))?$/.exec(path) ?? [];
  if (!path.startsWith('sys/policies/acl')) return undefined;
  if (name === undefined || name === '') {
    const keys = ['default', 'root', ...vault.policies.keys()].sort();
    return list ? recorded('list policies', { data: { keys } }) : recorded('unknown route');
  }
  switch (method) {
    case 'GET': {
      const policy = vault.policies.get(name);
      return policy === undefined
        ? recorded('read missing policy')
        : recorded('read policy', { data: { name, policy } });
    }
    case 'PUT':
    case 'POST': {
      const text = String(body['policy'] ?? '');
      if (text === '') return refused("'policy' parameter not supplied or empty");
      if (!isWhole(text)) return recorded('bad HCL refused');
      vault.policies.set(name, text);
      vault.tokens.policies.set(name, inForce(text));
      return recorded('tier policy T0');
    }
    case 'DELETE':
      vault.policies.delete(name);
      vault.tokens.policies.delete(name);
      return recorded('tier policy T0');
  }
  return undefined;
};

/** Read by other means than agov's own, which would agree with itself. Enough for what agov writes. */
function inForce(text: string): Policy {
  const rules = text.matchAll(/path\s+"([^"]+)"\s*\{\s*capabilities\s*=\s*\[([^\]]*)\]([\s\S]*?)\n?\}(?=\s|$)/g);
  const named = (within: string): string[] => [...within.matchAll(/"(\w+)"/g)].map(([, one = '']) => one);
  return Object.fromEntries(
    [...rules].map(([, path = '', held = '', more = '']) => {
      const [, limit = '', parameters = ''] = /(allowed|denied)_parameters\s*=\s*\{([^}]*)/.exec(more) ?? [];
      return [path, [...named(held), ...named(parameters).map((one) => `${limit}:${one}`)]];
    }),
  );
}

/** Whether the parameters of a request are within those that the rules over its path allow. */
export function withinLimits(has: readonly string[], body: Readonly<Record<string, unknown>>): boolean {
  const limited = (kind: string) =>
    has.filter((one) => one.startsWith(`${kind}:`)).map((one) => one.slice(kind.length + 1));
  const [allowed, denied] = [limited('allowed'), limited('denied')];
  return Object.keys(body).every((one) => !denied.includes(one) && (allowed.length === 0 || allowed.includes(one)));
}

function isWhole(text: string): boolean {
  const count = (mark: string): number => text.split(mark).length;
  return count('{') === count('}') && count('[') === count(']') && count('"') % 2 === 1;
}

function refused(error: string): Reply {
  return { status: 400, body: { errors: [error] } };
}
