/**
 * What agov shows Vault to be let in: from the environment or from files of their owner alone, read anew at each login.
 * Never from agov.yaml, which is committed, nor from arguments, which every user of the machine sees.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { AgovError, messageOf, Secret } from '../../kernel/index.ts';
import type { VaultAuth } from './session.ts';

export interface CredentialPlaces {
  /** Where AppRole is mounted; a token is used where it is not given. */
  readonly appRole?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly roleIdFile?: string | undefined;
  readonly secretIdFile?: string | undefined;
}

const maxBytes = 4096;
/** A header takes no more, and no token has more. */
const pattern = /^[\x21-\x7e]+$/;

export function vaultAuth(
  { appRole, tokenFile, roleIdFile, secretIdFile }: CredentialPlaces,
  environment: NodeJS.ProcessEnv,
  projectRoot: string,
): VaultAuth {
  const from = (what: string, variable: string, file: string | undefined) => (): Secret => {
    const given = environment[variable];
    if (given) return checked(given, `the variable ${variable}`);
    if (file !== undefined) return checked(readPrivate(file, projectRoot), file);
    throw invalid(
      `Vault needs ${what}, and none is given.`,
      `Set ${variable}, or name its file in agov.yaml under secrets.vault.auth.`,
    );
  };
  if (appRole === undefined) return { method: 'token', token: from('a token', 'VAULT_TOKEN', tokenFile) };
  const secretPlace = environment['AGOV_VAULT_SECRET_ID_FILE'] || secretIdFile;
  return {
    method: 'approle',
    mount: appRole,
    roleId: from('a role id', 'AGOV_VAULT_ROLE_ID', roleIdFile),
    secretId: from('a secret id', 'AGOV_VAULT_SECRET_ID', secretPlace),
  };
}

function checked(text: string, place: string): Secret {
  const bare = text.trim();
  if (pattern.test(bare)) return new Secret(bare);
  throw invalid(
    `${place} does not hold a credential for Vault.`,
    'It must hold one line of visible ASCII and nothing else.',
  );
}

function readPrivate(path: string, projectRoot: string): string {
  try {
    const real = realpathSync(path);
    if (real.startsWith(projectRoot + sep)) {
      throw invalid(
        `The credential file ${path} lies in the project.`,
        'Move it out: agents read what is in the project.',
      );
    }
    // O_NONBLOCK: a pipe at that place must not make us wait.
    const fd = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size > maxBytes) throw invalid(`${path} is no credential file.`, 'Name a small file.');
      if ((stat.mode & 0o077) !== 0) throw invalid(`${path} is open to other users.`, `Run: chmod 600 '${path}'`);
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof AgovError) throw error;
    throw invalid(`The credential file ${path} cannot be read: ${messageOf(error)}.`, 'Check the path and its rights.');
  }
}

function invalid(what: string, fix: string): AgovError {
  return new AgovError('KEY_INVALID', { what, fix });
}
