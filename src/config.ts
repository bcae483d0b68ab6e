/** Reads `agov.yaml` once, lays the environment over it, and freezes the result. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYamlScalar } from 'yaml';
import { AgovError, messageOf } from './kernel/index.ts';
import { configFile } from './project.ts';
import { type Config, configSchema, nearest, parseYaml } from './schemas/index.ts';

/** `AGOV_APPROVALS_TTL` to `approvals.ttl`. Lists and maps are set in the file only. */
export const environmentSettings: Readonly<Record<string, readonly string[]>> = {
  AGOV_SANDBOX: ['sandbox'],
  AGOV_APPROVALS_TTL: ['approvals', 'ttl'],
  AGOV_LIMITS_INTENTS_PER_RUN: ['limits', 'intentsPerRun'],
  AGOV_LIMITS_DENIALS_PER_RUN: ['limits', 'denialsPerRun'],
  AGOV_OUTPUT_KEEP: ['output', 'keep'],
  AGOV_STATE_URL: ['state', 'url'],
  AGOV_STATE_DEADLINE: ['state', 'deadline'],
  AGOV_STATE_GRACE: ['state', 'grace'],
  AGOV_ENGINE: ['engine'],
};

/** Variables that agov sets or reads for other ends than configuration. */
const otherVariables = new Set([
  'AGOV_VAULT_ROLE_ID',
  'AGOV_VAULT_SECRET_ID',
  'AGOV_VAULT_SECRET_ID_FILE',
  'AGOV_STATE_PASSWORD',
  'AGOV_AGENT',
  'AGOV_RUN',
  'AGOV_SOCKET',
  'AGOV_SANDBOX_ID',
  'AGOV_PROPERTY_RUNS',
  'AGOV_CRASHES',
]);

/** The tokens of a stage's locks are named after the locks. */
function isOther(name: string): boolean {
  return otherVariables.has(name) || name.startsWith('AGOV_LOCK_');
}

/** @throws CONFIG_INVALID with every fault's file, line and column */
export function readConfig(root: string, env: NodeJS.ProcessEnv): Config {
  const path = join(root, configFile);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new AgovError('CONFIG_INVALID', { what: `${path} cannot be read.`, why: messageOf(error), cause: error });
  }
  const config = parseYaml(configSchema, utf8(bytes, path), configFile);
  return freeze(withEnvironment(config, env));
}

/** The text of a file that a setting names by its absolute path. @throws CONFIG_INVALID */
export function readNamed(path: string): string {
  try {
    return utf8(readFileSync(path), path);
  } catch (error) {
    if (error instanceof AgovError) throw error;
    const [what, why] = [`${path} cannot be read.`, messageOf(error)];
    const fix = `Put it there, or correct its name in ${configFile}.`;
    throw new AgovError('CONFIG_INVALID', { what, why, fix, cause: error });
  }
}

/** The text of a file that people wrote. @throws CONFIG_INVALID where it is not UTF-8 */
export function utf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AgovError('CONFIG_INVALID', {
      what: `${path} is not valid UTF-8.`,
      fix: 'Save it as UTF-8.',
      cause: error,
    });
  }
}

function withEnvironment(config: Config, env: NodeJS.ProcessEnv): Config {
  const overlaid: Record<string, unknown> = structuredClone(config);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('AGOV_') || isOther(name) || value === undefined) continue;
    const path = environmentSettings[name];
    if (!path) {
      const known = nearest(name, Object.keys(environmentSettings));
      throw new AgovError('CONFIG_INVALID', {
        what: `The environment variable ${name} is no setting of agov.`,
        fix: known ? `Did you mean ${known}?` : `Known are ${Object.keys(environmentSettings).join(', ')}.`,
      });
    }
    assign(overlaid, path, parseYamlScalar(value));
  }
  const parsed = configSchema.safeParse(overlaid);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = Object.entries(environmentSettings).find(([, path]) => path.join('.') === issue?.path.join('.'))?.[0];
  throw new AgovError('CONFIG_INVALID', {
    what: `The environment variable ${name ?? 'AGOV_…'} has a value that cannot be used.`,
    why: issue?.message ?? 'It does not fit the setting.',
  });
}

function assign(target: Record<string, unknown>, [head, ...rest]: readonly string[], value: unknown): void {
  if (head === undefined) return;
  if (rest.length === 0) target[head] = value;
  else assign(target[head] as Record<string, unknown>, rest, value); // paths come from the table above
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) freeze(member);
    Object.freeze(value);
  }
  return value;
}
