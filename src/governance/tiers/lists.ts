/** Tools and hosts per tier, as declared and as a project overrides them. A lower tier never has what a higher one lacks. */
import { AgovError } from '../../kernel/index.ts';
import { type Tier, tierLevel, tiers } from '../../schemas/index.ts';
import { hostSchema, toolSchema } from './declaration.ts';
import { grantsFor, lineageOf, type Tiers } from './load.ts';

type ListPerTier = { readonly [T in Tier]?: readonly string[] | undefined };

/** `tools` and `hosts` of `agov.yaml`. */
export interface Overrides {
  readonly tools?: ListPerTier;
  readonly hosts?: ListPerTier;
}

export type Lists = { readonly [T in Tier]: readonly string[] };

/**
 * Patterns of the tools that each tier may run, those of the tiers below included. Naming tools for T1 alone narrows T0
 * as well: what T0 may do alone T1 may, so a narrower T1 above a wider T0 would be no limit at all.
 * @throws AgovError CONFIG_INVALID
 */
export function toolLists(declared: Tiers, { tools = {} }: Overrides = {}): Lists {
  check('tools', tools, toolSchema);
  for (const tier of lineageOf('T3')) {
    const open = lineageOf(tier).find((below) => below !== tier && tools[below]?.includes('*'));
    if (open && tools[tier] && !tools[tier].includes('*')) {
      throw invalid(
        `tools.${tier}`,
        `${open} lists *, and ${tier} may do whatever ${open} may.`,
        `Narrow tools.${open} too.`,
      );
    }
  }
  if (tools.T4) throw invalid('tools.T4', 'T4 runs nothing.', 'Remove it.');
  const own = (tier: Tier): readonly string[] => {
    const named = tiers.find((above) => above !== 'T4' && tierLevel(above) >= tierLevel(tier) && tools[above]);
    return (named && tier !== 'T4' ? tools[named] : undefined) ?? declared.declaration.tiers[tier].tools;
  };
  return perTier((tier) => union(lineageOf(tier).map(own)));
}

/**
 * Patterns of the hosts that each tier may reach, those of the tiers below included.
 * @throws AgovError CONFIG_INVALID
 */
export function hostLists(declared: Tiers, { hosts = {} }: Overrides = {}): Lists {
  check('hosts', hosts, hostSchema);
  for (const tier of tiers) {
    if (hosts[tier]?.length && grantsFor(declared, tier, 'net.request').length === 0) {
      throw invalid(`hosts.${tier}`, `${tier} has no network.`, 'List the hosts for T1 or above.');
    }
  }
  const own = (tier: Tier): readonly string[] =>
    (hosts[tier] ?? declared.declaration.tiers[tier].hosts).map((host) => host.toLowerCase());
  return perTier((tier) => union(lineageOf(tier).map(own)));
}

/** Host patterns for the egress proxy of a tier: `host`, `host:port`, `*.domain` or `*`. */
export function egressHosts(declared: Tiers, tier: Tier, overrides?: Overrides): readonly string[] {
  return hostLists(declared, overrides)[tier];
}

function check(name: string, lists: ListPerTier, schema: typeof toolSchema): void {
  for (const [tier, list] of Object.entries(lists)) {
    list?.forEach((item, i) => {
      const parsed = schema.safeParse(item);
      if (parsed.success) return;
      const why = parsed.error.issues[0]?.message ?? 'it is malformed';
      throw invalid(`${name}.${tier}[${i}]`, `"${item}": ${why}.`, 'Correct it in agov.yaml.');
    });
  }
}

function invalid(path: string, why: string, fix: string): AgovError {
  return new AgovError('CONFIG_INVALID', { what: `${path} cannot be used.`, why, fix, details: { path } });
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  const all = [...new Set(lists.flat())];
  return all.includes('*') ? ['*'] : all;
}

function perTier(of: (tier: Tier) => readonly string[]): Lists {
  return { T0: of('T0'), T1: of('T1'), T2: of('T2'), T3: of('T3'), T4: of('T4') };
}
