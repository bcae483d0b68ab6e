/**
 * What is to stand in Vault for a project, computed from its declaration alone. In this order it is made: the log first,
 * so that it holds all the rest, and a policy before the group that gives it.
 */
import type { JsonObject } from '../../../../kernel/index.ts';
import { tiers } from '../../../../schemas/index.ts';
import type { LayoutWish } from '../../port.ts';
import { governorPolicy } from './governor.ts';
import type { LayoutPlace } from './place.ts';
import { policyMeaning } from './policy/meaning.ts';

export type Wanted = { readonly path: string; readonly should: JsonObject } & (
  | { readonly kind: 'audit'; readonly device: string; readonly file: string }
  | { readonly kind: 'kv'; readonly mount: string }
  | { readonly kind: 'transit'; readonly mount: string }
  | { readonly kind: 'key'; readonly mount: string; readonly key: string }
  | { readonly kind: 'policy'; readonly name: string; readonly text: string }
  | { readonly kind: 'login'; readonly mount: string }
  | { readonly kind: 'group'; readonly name: string }
);

export function wantedLayout(place: LayoutPlace, wish: LayoutWish): Wanted[] {
  const { names, mount } = place;
  const { signingKey } = wish;
  const governor = { name: names.governorPolicy, text: governorPolicy(place, signingKey) };
  return [
    ...wish.auditFiles.map((file, i) => auditDevice(`${names.prefix}-audit-${i + 1}`, file)),
    { kind: 'kv', mount, path: `sys/mounts/${mount}`, should: { type: 'kv', version: '2', cas_required: true } },
    ...(signingKey ? signing(signingKey) : []),
    ...[...wish.policies, governor].map(({ name, text }) => policy(name, text)),
    ...tiers.map((tier) => login(names.ofTier(tier), Math.floor(wish.tokenMs(tier) / 1000))),
    ...tiers.map((tier) => group(names.ofTier(tier))),
  ];
}

function auditDevice(device: string, file: string): Wanted {
  return { kind: 'audit', device, file, path: `sys/audit/${device}`, should: { type: 'file', file_path: file } };
}

function signing({ mount, key }: { readonly mount: string; readonly key: string }): Wanted[] {
  const kept = { type: 'ed25519', derived: false, exportable: false, allow_plaintext_backup: false };
  return [
    { kind: 'transit', mount, path: `sys/mounts/${mount}`, should: { type: 'transit' } },
    { kind: 'key', mount, key, path: `${mount}/keys/${key}`, should: { ...kept, deletion_allowed: false } },
  ];
}

function policy(name: string, text: string): Wanted {
  // Vault takes no empty policy, and a tier may well be given nothing.
  const written = text.trim() === '' ? '# Nothing.\n' : text;
  return { kind: 'policy', name, text: written, path: `sys/policies/acl/${name}`, should: policyMeaning(written) };
}

/**
 * A token lives as long as a lease of its tier, and renewed at most twice that: so a lease taken from a token of some age
 * still has its whole time. Service tokens whatever a role says, since nobody can revoke a batch token.
 */
function login(mount: string, seconds: number): Wanted {
  const ttls = { default_lease_ttl: seconds, max_lease_ttl: 2 * seconds };
  return {
    kind: 'login',
    mount,
    path: `sys/auth/${mount}`,
    should: { type: 'approle', ...ttls, token_type: 'service' },
  };
}

/** Its members are the agents of the tier, which are no part of the layout. A group in it would bring its own members. */
function group(name: string): Wanted {
  const should = { type: 'internal', policies: [name], member_group_ids: [] };
  return { kind: 'group', name, path: `identity/group/name/${name}`, should };
}
