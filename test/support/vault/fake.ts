/** What a test sees of the fake Vault and may change in it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Env } from '../../../src/kernel/index.ts';
import type { Identities } from './identity.ts';
import type { FakeDevice, FakeGroup, FakeLogin, FakeMount } from './shapes.ts';
import type { KvStore } from './store.ts';
import type { Tokens } from './tokens.ts';

export interface FakeVault extends AsyncDisposable {
  readonly address: URL;
  readonly root: string;
  readonly tokens: Tokens;
  readonly kv: KvStore;
  /** Leases of its engines: id to the token that they hang on. */
  readonly leases: Map<string, { readonly token: string; until: number }>;
  readonly requests: { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** Answers in its place: true when it did. */
  fault: ((path: string, response: ServerResponse, request: IncomingMessage) => boolean) | undefined;
  sealed: boolean;
  /** While it is down its users cannot be dropped. */
  databaseDown: boolean;
  readonly mounts: Map<string, FakeMount>;
  /** KV mounts that take no write without check-and-set. */
  readonly casRequired: Set<string>;
  readonly logins: Map<string, FakeLogin>;
  /** ACL policies as they were written. */
  readonly policies: Map<string, string>;
  readonly groups: Map<string, FakeGroup>;
  readonly devices: Map<string, FakeDevice>;
  readonly identity: Identities;
  readonly secretIds: Set<string>;
}

export interface FakeVaultOptions {
  readonly env: Env;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly roleTtlMs?: number;
  readonly roleMaxMs?: number;
  readonly roleType?: string;
}
