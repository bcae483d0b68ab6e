/** Reads the declaration of tiers, the built-in one unless a project brings its own. */
import { readFile } from 'node:fs/promises';
import { AgovError, canonicalHash, messageOf, packageFile, parseDuration } from '../../kernel/index.ts';
import { type Action, faultsError, readYaml, type Tier, tierLevel, tiers } from '../../schemas/index.ts';
import { type Declaration, declarationSchema, type Grant, grantsOf, invariantFaults } from './declaration.ts';

const builtinFile = packageFile('builtin/tiers.yaml');

export interface Tiers {
  readonly declaration: Declaration;
  /** From T0 to T4, in the order they are written. */
  readonly grants: readonly Grant[];
  /** SHA-256 over what is declared; comments and layout do not count. */
  readonly hash: string;
}

/** @throws AgovError CONFIG_INVALID with all faults in `details.faults` */
export async function loadTiers(source: { readonly file?: string; readonly text?: string } = {}): Promise<Tiers> {
  const file = source.file ?? (source.text === undefined ? builtinFile : 'tiers.yaml');
  const text = source.text ?? (await read(file));
  const parsed = readYaml(declarationSchema, text, file);
  const faults = parsed.ok ? invariantFaults(parsed) : parsed.faults;
  if (!parsed.ok || faults.length > 0) throw faultsError('CONFIG_INVALID', file, faults);
  const { value: declaration } = parsed;
  return { declaration, grants: grantsOf(declaration), hash: canonicalHash(declaration) };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new AgovError('CONFIG_INVALID', {
      what: `${file} cannot be read.`,
      why: messageOf(error),
      fix: 'Without it no tier may do anything.',
      cause: error,
    });
  }
}

/** The grants that an agent of `tier` has for `action`: its own and, up to T3, those of the tiers below. */
export function grantsFor({ grants }: Tiers, tier: Tier, action: Action): Grant[] {
  return grants.filter((grant) => grant.action === action && reaches(grant.tier, tier));
}

/** Whether what `from` was granted belongs to `to` as well. */
export function reaches(from: Tier, to: Tier): boolean {
  if (from === 'T4' || to === 'T4') return from === to;
  return tierLevel(from) <= tierLevel(to);
}

/** The tiers whose increments `tier` has, lowest first. */
export function lineageOf(tier: Tier): Tier[] {
  return tiers.filter((from) => reaches(from, tier));
}

export function tierTitle({ declaration }: Tiers, tier: Tier): string {
  return `${tier} ${declaration.tiers[tier].name}`;
}

/** How long a lease of this tier may live, in milliseconds. */
export function leaseMs({ declaration }: Tiers, tier: Tier): number {
  return parseDuration(declaration.tiers[tier].lease);
}
