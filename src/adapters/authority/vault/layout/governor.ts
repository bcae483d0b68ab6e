/**
 * What the governor's own token may do from day to day: secrets, leases, agents' identities, and looking at what is set
 * up. It can write no policy and no mount. Of a role and of a tier's group it can change what is not a policy, so that
 * whoever has taken the governor over has not taken Vault over.
 */
import { tiers } from '../../../../schemas/index.ts';
import type { LayoutPlace } from './place.ts';

export function governorPolicy(
  { names, mount, engines }: LayoutPlace,
  signingKey: { readonly mount: string; readonly key: string } | undefined,
): string {
  const { prefix } = names;
  return [
    '# Itself.',
    rule('auth/token/lookup-self', 'read'),
    rule('auth/token/renew-self', 'update'),
    rule('auth/token/revoke-self', 'update'),
    rule('sys/capabilities-self', 'update'),
    '# Secrets, and the records of leases and identities.',
    rule(`${mount}/data/*`, 'create', 'read', 'update'),
    rule(`${mount}/metadata/*`, 'read', 'list'),
    rule(`${mount}/metadata/~leases/*`, 'read', 'list', 'delete'),
    rule(`${mount}/metadata/~identities/*`, 'read', 'list', 'delete'),
    rule(`${mount}/destroy/*`, 'update'),
    ...[...engines].map(([path, told]) => (told ? rule(path, 'create', 'update') : rule(path, 'read'))),
    '# Leases are tokens below its own, or below an agent’s.',
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
    denying(['policies'], `identity/entity/name/${prefix}-*`, 'create', 'read', 'update', 'delete'),
    rule('identity/entity-alias', 'create', 'update'),
    rule('identity/entity-alias/id/*', 'delete'),
    rule('sys/wrapping/lookup', 'update'),
    ...tiers.flatMap((tier) => identitiesIn(names.ofTier(tier))),
    '',
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
  const role = `auth/${name}/role/+`;
  return [
    allowing(['member_entity_ids'], `identity/group/name/${name}`, 'read', 'update'),
    denying(['policies', 'token_policies'], role, 'create', 'read', 'update', 'delete'),
    rule(`${role}/role-id`, 'read'),
    rule(`${role}/secret-id`, 'create', 'update'),
    // To revoke every token of the tier at once.
    rule(`sys/leases/revoke-prefix/auth/${name}`, 'update', 'sudo'),
  ];
}

function rule(path: string, ...capabilities: readonly string[]): string {
  return block(path, capabilities);
}

/** No other parameter than these. */
function allowing(parameters: readonly string[], path: string, ...capabilities: readonly string[]): string {
  return block(path, capabilities, `  allowed_parameters = { ${anyValue(parameters)} }`);
}

function denying(parameters: readonly string[], path: string, ...capabilities: readonly string[]): string {
  return block(path, capabilities, `  denied_parameters = { ${anyValue(parameters)} }`);
}

function anyValue(parameters: readonly string[]): string {
  return parameters.map((one) => `"${one}" = []`).join(', ');
}

function block(path: string, capabilities: readonly string[], ...limits: readonly string[]): string {
  const listed = capabilities.map((one) => `"${one}"`).join(', ');
  return [`path "${path}" {`, `  capabilities = [${listed}]`, ...limits, '}'].join('\n');
}
