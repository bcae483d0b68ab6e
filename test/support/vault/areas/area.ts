/** What a request is, once its token is known, and what answers a part of the API. */
import type { Env } from '../../../../src/kernel/index.ts';
import type { FakeVault } from '../fake.ts';
import type { Reply } from '../recorded.ts';
import type { Token } from '../tokens.ts';

export interface Asked {
  readonly env: Env;
  readonly method: string;
  readonly list: boolean;
  /** Below `/v1/`. */
  readonly path: string;
  readonly token: Token;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Undefined where it is no request of this area's. */
export type Area = (vault: FakeVault, asked: Asked) => Reply | undefined;

/** Of `90s`. */
export function milliseconds(written: unknown): number {
  return Number(/^(\d+)s$/.exec(String(written))?.[1]) * 1000;
}

/** Of `900s` or of a number of seconds. */
export function written(ttl: unknown): number {
  return typeof ttl === 'number' ? ttl : milliseconds(ttl) / 1000;
}

/** Whether the path is one that Vault keeps for tokens with `sudo`, and this token has none. */
export function needsSudo({ tokens }: FakeVault, { token, path }: Asked): boolean {
  const has = tokens.may(token, path);
  return !has.includes('sudo') && !has.includes('root');
}
