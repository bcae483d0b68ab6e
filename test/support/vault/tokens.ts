/** The fake Vault's tokens: parents, ends, uses, and what their policies allow. */
import type { Env } from '../../../src/kernel/index.ts';
import { part, type Reply, recorded } from './recorded.ts';

export interface Token {
  readonly text: string;
  readonly accessor: string;
  readonly policy: string;
  readonly parent: string | undefined;
  readonly type: string;
  /** When renewals end, on the fake's clock. */
  readonly maxUntil: number;
  until: number;
  /** 0 for any number. */
  uses: number;
  readonly meta: unknown;
  /** Of the login, where it was one that leads to an entity. */
  readonly entity: string | undefined;
  /** `auth/MOUNT`, of the login. */
  readonly from: string | undefined;
}

/** Capabilities by path; a path may end in a star. */
export type Policy = Readonly<Record<string, readonly string[]>>;

export interface Tokens {
  readonly live: Map<string, Token>;
  readonly policies: Map<string, Policy>;
  /** What an entity's groups give it now. */
  policiesOf: (entity: string) => readonly string[];
  make(options: Partial<Token> & { readonly ttlMs?: number }): Token;
  /** Takes one use. Undefined when it lives no more. */
  use(text: string | undefined): Token | undefined;
  may(token: Token, path: string): readonly string[];
  byAccessor(accessor: unknown): Token | undefined;
  renew(token: Token, ms: number): Reply;
  revoke(token: Token): readonly Token[];
}

export function seconds(ms: number): number {
  return Number.isFinite(ms) ? Math.max(0, Math.floor(ms / 1000)) : 0;
}

export function tokens(env: Env): Tokens {
  const live = new Map<string, Token>();
  const policies = new Map<string, Policy>([['root', { '*': ['root'] }]]);
  let count = 0;
  const sweep = (): void => {
    for (const token of [...live.values()]) if (token.until <= env.now()) revoke(token);
  };
  const revoke = (token: Token): Token[] => {
    live.delete(token.text);
    const children = [...live.values()].filter(({ parent }) => parent === token.text);
    return [token, ...children.flatMap(revoke)];
  };

  const made: Tokens = {
    live,
    policies,
    revoke,
    policiesOf: () => [],
    make({ ttlMs = Number.POSITIVE_INFINITY, ...options }) {
      count++;
      const token: Token = {
        text: `hvs.fake-token-${count}-${'x'.repeat(20)}`,
        accessor: `fake-accessor-${count}`,
        policy: 'root',
        parent: undefined,
        type: 'service',
        maxUntil: Number.POSITIVE_INFINITY,
        until: env.now() + ttlMs,
        uses: 0,
        ...{ meta: null, entity: undefined, from: undefined },
        ...options,
      };
      live.set(token.text, token);
      return token;
    },
    use(text) {
      sweep();
      const token = live.get(text ?? '');
      if (token && token.uses > 0 && --token.uses === 0) revoke(token);
      return token;
    },
    may(token, path) {
      const names = [token.policy, ...(token.entity === undefined ? [] : made.policiesOf(token.entity))];
      const rules = names
        .flatMap((name) => Object.entries(policies.get(name) ?? {}))
        .filter(([rule]) => fits(rule, path));
      const [nearest] = rules.map(([rule]) => rule).sort((a, b) => b.length - a.length);
      if (nearest === undefined) return ['deny'];
      return rules.filter(([rule]) => rule === nearest).flatMap(([, held]) => held);
    },
    byAccessor(accessor) {
      sweep();
      return [...live.values()].find((token) => token.accessor === accessor);
    },
    renew(token, ms) {
      token.until = Math.min(env.now() + ms, token.maxUntil);
      return authReply('renew self', token, env);
    },
  };
  return made;
}

/** A star at the end stands for anything, a plus for one segment. */
function fits(rule: string, path: string): boolean {
  const pattern = rule.replace(/[.?^${}()|[\]\\]/g, '\\$&').replaceAll('+', '[^/]+');
  return new RegExp(`^${pattern.endsWith('*') ? pattern.slice(0, -1) : `${pattern}$`}`).test(path);
}

export function authReply(name: 'login' | 'renew self', token: Token, env: Env): Reply {
  const auth = part(name, 'auth', {
    client_token: token.text,
    accessor: token.accessor,
    lease_duration: seconds(token.until - env.now()),
    token_type: token.type,
    renewable: token.type === 'service',
  });
  return recorded(name, { auth });
}
