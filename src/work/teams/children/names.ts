/** Names of agents that agents start: derived from who started them, so that none can look like somebody else. */
import type { State } from '../../../adapters/state/port.ts';
import { AgovError, isAgovError } from '../../../kernel/index.ts';
import { nameSchema, roleSchema } from '../../../schemas/index.ts';

const mostTries = 1000;

/** @throws INPUT_INVALID for a label that is none */
export function mustBeRole(role: string): string {
  const parsed = roleSchema.safeParse(role);
  if (parsed.success) return parsed.data;
  throw new AgovError('INPUT_INVALID', {
    what: `"${role.slice(0, 40)}" cannot be a role.`,
    why: `Please ${parsed.error.issues[0]?.message ?? 'choose another'}.`,
  });
}

/** A definition's own name as a label. */
export function roleOf(definition: string): string {
  const label = definition
    .replaceAll(/[^a-z0-9-]/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 16)
    .replace(/(?:-\d+)+$/, '');
  return roleSchema.safeParse(label).success ? label : 'agent';
}

/**
 * The first free `lead.role-N`, which `record` puts into the ledger by its claim. Hosts share a counter and have a ledger
 * each, so that the name is looked for in the registry as well.
 */
export async function withFreeName<T>(
  { state: { counters, registry } }: { readonly state: Pick<State, 'counters' | 'registry'> },
  under: string,
  role: string,
  record: (name: string) => Promise<T>,
): Promise<T> {
  for (let tries = 0; tries < mostTries; tries++) {
    const { value } = await counters.add(`children:${under}.${role}`, 1);
    const name = `${under}.${role}-${value}`;
    if (!nameSchema.safeParse(name).success) throw tooLong(name);
    if (await registry.get(name)) continue;
    try {
      return await record(name);
    } catch (error) {
      // A counter that was lost begins anew; names are never given twice.
      if (!isAgovError(error, 'LEDGER_CLAIMED')) throw error;
    }
  }
  throw new AgovError('CONFLICT', {
    what: `No free name was found for a "${role}" under "${under}".`,
    fix: 'Try again.',
  });
}

function tooLong(name: string): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `"${name.slice(0, 80)}" is too long a name.`,
    why: 'A name has at most 64 characters, and each level adds to it.',
    fix: 'Give the lead a shorter name, or the role a shorter label.',
  });
}
