/** From the configuration to an open client: files are read, credentials are found, and nothing of them is in agov.yaml. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AgovError, type Env, messageOf, parseDuration } from '../../kernel/index.ts';
import type { Config } from '../../schemas/index.ts';
import { vaultAuth } from './credentials.ts';
import { openVault, type Vault } from './vault.ts';

interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** Credentials do not lie in it, where agents could read them. */
  readonly projectRoot: string;
  readonly env: Env;
}

/** @throws AgovError CONFIG_INVALID for a CA file that is none */
export function configuredVault(
  config: NonNullable<Config['secrets']['vault']>,
  { environment, projectRoot, env }: Surroundings,
): Vault {
  const { address, namespace, caFile, deadline, auth } = config;
  return openVault({
    ...{ address: new URL(address), namespace, env },
    ca: caFile === undefined ? undefined : certificates(caFile),
    auth: vaultAuth(auth, environment, projectRoot),
    deadlineMs: parseDuration(deadline),
  });
}

function certificates(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    // Node takes a file without any certificate in silence, and then believes nobody.
    new X509Certificate(pem);
    return pem;
  } catch (error) {
    throw new AgovError('CONFIG_INVALID', {
      what: `${path} cannot be used as secrets.vault.caFile.`,
      why: `${messageOf(error)}.`,
      fix: 'Name a file with the certificate of the authority in PEM.',
      cause: error,
    });
  }
}
