/** From the configuration to an open store: files are read, credentials are found, and nothing of them is in agov.yaml. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AgovError, type Env, type IdSource, messageOf, parseDuration } from '../../../kernel/index.ts';
import type { Config } from '../../../schemas/index.ts';
import type { Secrets } from '../port.ts';
import { vaultAuth } from './credentials.ts';
import { openVaultSecrets } from './open.ts';

interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** Credentials do not lie in it, where agents could read them. */
  readonly projectRoot: string;
  readonly env: Env;
  readonly ids: IdSource;
}

/** @throws AgovError CONFIG_INVALID for a CA file that is none */
export function configuredVault(
  config: NonNullable<Config['secrets']['vault']>,
  { environment, projectRoot, env, ids }: Surroundings,
): Secrets {
  const { address, mount, namespace, caFile, deadline, engines, auth } = config;
  return openVaultSecrets({
    ...{ address: new URL(address), mount, namespace, engines, env, ids },
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
