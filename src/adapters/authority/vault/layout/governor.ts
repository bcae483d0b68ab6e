/**
 * What the governor's own token may do from day to day: secrets, leases, agents' identities, and looking at what is set
 * up. It can write no policy and no mount; a role or a group of agents it can change, and not what they are given.
 */
import { tiers } from '../../../../schemas/index.ts';
import type { LayoutPlace } from './place.ts';

export function governorPolicy(
  { names, mount, engines }: LayoutPlace,
  signingKey: { readonly mount: string; readonly key: string } | undefined,
): string {
  const { prefix } = names;
  return [
    '# Secrets, and the records of leases and identities.',
    rule(`${mount}/data/*`, 'create', 'read', 'update'),
    rule(`${mount}/metadata/*`, 'read', 'list'),
    rule(`${mount}/metadata/~leases/*`, 'read', 'list', 'delete'),
    rule(`${mount}/destroy/*`, 'update'),
    ...[...engines].map(([path, told]) => (told ? rule(path, 'create', 'update') : rule(path, 'read'))),
    '# Leases are tokens below its own.',
    rule('auth/token/create', 'create', 'update'),
    rule('auth/token/renew-accessor', 'update'),
    rule('auth/token/revoke-accessor', 'update'),
    rule('sys/leases/renew', 'update'),
    rule('sys/leases/revoke', 'update'),
    ...(signingKey ? signing(signingKey) : []),
    '# Looking at the layout.',
    rule(`${mount}/config`, 'read'),
    rule('sys/auth', 'read'),
    rule('sys/mounts', 'read'),
    rule('sys/policies/acl', 'list'),
    rule(`sys/policies/acl/${prefix}-*`, 'read'),
    '# Identities of agents, who get nothing but by the group of their tier.',
    rule('identity/entity-alias', 'create', 'update'),
    limited(`identity/entity/name/${prefix}-*`, 'denied_parameters', 'policies', 'create', 'read', 'update'),
    ...tiers.map((tier) => names.ofTier(tier)).flatMap(identitiesIn),
  ].join('\n');
}

function signing({ mount, key }: { readonly mount: string; readonly key: string }): string[] {
  return [
    '# The key of the ledger.',
    rule(`${mount}/keys/${key}`, 'read'),
    rule(`${mount}/sign/${key}`, 'create', 'update'),
  ];
}

function identitiesIn(name: string): string[] {
  return [
    limited(`identity/group/name/${name}`, 'allowed_parameters', 'member_entity_ids', 'read', 'update'),
    limited(`auth/${name}/role/+`, 'denied_parameters', 'token_policies', 'create', 'read', 'update', 'delete'),
    rule(`auth/${name}/role/+/role-id`, 'read'),
    rule(`auth/${name}/role/+/secret-id`, 'create', 'update', 'list'),
    rule(`auth/${name}/role/+/secret-id-accessor/destroy`, 'create', 'update'),
    // To revoke every token of the tier at once.
    rule(`sys/leases/revoke-prefix/auth/${name}`, 'update', 'sudo'),
  ];
}

function rule(path: string, ...capabilities: readonly string[]): string {
  return block(path, capabilities, []);
}

function limited(
  path: string,
  limit: 'allowed_parameters' | 'denied_parameters',
  parameter: string,
  ...capabilities: readonly string[]
): string {
  return block(path, capabilities, [`  ${limit} = { "${parameter}" = [] }`]);
}

function block(path: string, capabilities: readonly string[], more: readonly string[]): string {
  const listed = capabilities.map((one) => `"${one}"`).join(', ');
  return [`path "${path}" {`, `  capabilities = [${listed}]`, ...more, '}'].join('\n');
}
