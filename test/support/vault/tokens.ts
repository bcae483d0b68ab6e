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
}

/** Capabilities by path; a path may end in a star. */
export type Policy = Readonly<Record<string, readonly string[]>>;

export interface Tokens {
  readonly live: Map<string, Token>;
  readonly policies: Map<string, Policy>;
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

  return {
    live,
    policies,
    revoke,
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
        meta: null,
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
      const rules = Object.entries(policies.get(token.policy) ?? {});
      const fits = ([rule]: [string, unknown]): boolean =>
        rule === path || (rule.endsWith('*') && path.startsWith(rule.slice(0, -1)));
      return rules.filter(fits).sort(([a], [b]) => b.length - a.length)[0]?.[1] ?? ['deny'];
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
