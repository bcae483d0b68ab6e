/** Tiers as HashiCorp Vault ACL policies (KV version 2). No path is wider than what `tiers.yaml` declares. */
import { type Tier, tiers } from '../../schemas/index.ts';
import { lineageOf, type Tiers } from './load.ts';

export type VaultCapability = 'create' | 'read' | 'update' | 'delete' | 'list';

export interface VaultPolicy {
  /** `agov-t1`, or `agov-t3-action` for what a token holds only while one approved action runs. */
  readonly name: string;
  readonly tier: Tier;
  readonly use: 'standing' | 'action';
  /** By path, sorted; the capabilities sorted too, so that drift is a plain comparison. */
  readonly paths: Readonly<Record<string, readonly VaultCapability[]>>;
  /** What `PUT sys/policies/acl/:name` takes: HCL. */
  readonly hcl: string;
}

interface Rule {
  readonly path: string;
  readonly capabilities: readonly VaultCapability[];
}

export interface VaultPlace {
  /** The KV mount. */
  readonly mount: string;
  /** What the policies' names begin with. */
  readonly prefix: string;
  /** Secrets that an engine makes, by the path under which tiers know them. Its own path is the secret's tier's. */
  readonly engines?: Readonly<Record<string, VaultEngine>>;
}

export interface VaultEngine {
  readonly path: string;
  /** An engine that is told something is written to. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

/** One standing policy a tier, and one for actions where a tier has secrets only with approval. */
export function compileVault(declared: Tiers, place: VaultPlace): VaultPolicy[] {
  const { mount, prefix } = place;
  return tiers.flatMap((tier) => {
    const standing = lineageOf(tier).flatMap((from) => [
      ...ownPaths(declared, from),
      ...listRules(mount, declared.declaration.tiers[from].secrets.names),
      ...(perAction(declared, from) ? [] : secretRules(declared, place, from)),
    ]);
    const policies = [vaultPolicy(`${prefix}-${tier.toLowerCase()}`, tier, 'standing', standing)];
    if (!perAction(declared, tier)) return policies;
    return [
      ...policies,
      vaultPolicy(`${prefix}-${tier.toLowerCase()}-action`, tier, 'action', secretRules(declared, place, tier)),
    ];
  });
}

/** Whether this tier's own secrets are for approved actions only. */
function perAction({ declaration }: Tiers, tier: Tier): boolean {
  const { secrets, alone } = declaration.tiers[tier];
  const claims = secrets.read.length + secrets.write.length > 0;
  return claims && !alone.some((grant) => grant.actions.includes('secret.read'));
}

function secretRules({ declaration }: Tiers, { mount, engines = {} }: VaultPlace, tier: Tier): Rule[] {
  const { read, write } = declaration.tiers[tier].secrets;
  const made = Object.entries(engines).filter(([secret]) => read.some((glob) => covers(glob, secret)));
  return [
    ...made.map(
      ([, { path, parameters }]): Rule => ({ path, capabilities: parameters ? ['create', 'update'] : ['read'] }),
    ),
    ...read.map((glob): Rule => ({ path: `${mount}/data/${glob}`, capabilities: ['read'] })),
    ...write.map((glob): Rule => ({ path: `${mount}/data/${glob}`, capabilities: ['create', 'update'] })),
  ];
}

/** As Vault reads a path with a star. */
function covers(glob: string, secret: string): boolean {
  return glob.endsWith('*') ? secret.startsWith(glob.slice(0, -1)) : secret === glob;
}

/** Vault asks for `list` on a folder with a slash at its end, which `folder/*` covers; a single secret has no listing. */
function listRules(mount: string, names: readonly string[]): Rule[] {
  const folders = names.filter((glob) => glob.endsWith('/*'));
  return folders.map((glob) => ({ path: `${mount}/metadata/${glob}`, capabilities: ['list'] }));
}

function ownPaths({ declaration }: Tiers, tier: Tier): Rule[] {
  return Object.entries(declaration.tiers[tier].vault).map(([path, capabilities]) => ({ path, capabilities }));
}

function vaultPolicy(name: string, tier: Tier, use: VaultPolicy['use'], rules: readonly Rule[]): VaultPolicy {
  const merged = new Map<string, Set<VaultCapability>>();
  for (const { path, capabilities } of rules) {
    const held = merged.get(path) ?? new Set();
    for (const capability of capabilities) held.add(capability);
    merged.set(path, held);
  }
  const paths = Object.fromEntries(
    [...merged].map(([path, held]) => [path, [...held].sort()] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const hcl = Object.entries(paths)
    .map(
      ([path, held]) =>
        `path ${JSON.stringify(path)} {\n  capabilities = [${held.map((c) => JSON.stringify(c)).join(', ')}]\n}\n`,
    )
    .join('\n');
  return { name, tier, use, paths, hcl };
}
