/**
 * The key file: 32 random bytes in base64, readable by its owner only, outside the project. It is made on first use and
 * never over existing secrets, which a new key could not open.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgovError, createOnce, type Env, messageOf, systemCode } from '../../../kernel/index.ts';

const keyBytes = 32;
const keyPattern = /^[A-Za-z0-9+/]{43}=\n?$/;
const maxFileBytes = 1024;

/** @throws AgovError KEY_INVALID */
export function loadOrCreateKey(keyPath: string, env: Env, hasSecrets: boolean): Buffer {
  try {
    const known = readKey(keyPath);
    if (known) return known;
    if (hasSecrets) {
      throw invalid(
        `The key file ${keyPath} is missing.`,
        'There are secrets that only this key can open, so no new one is made.',
        'Restore the key file from a backup, or move secrets.db away and store the secrets again.',
      );
    }
    createKey(keyPath, env);
    // Read back: another process may have been first, and its key is the one.
    const made = readKey(keyPath);
    if (made) return made;
    throw new Error('it vanished after it was made');
  } catch (error) {
    if (error instanceof AgovError) throw error;
    const why = `${messageOf(error)}.`;
    throw invalid(`The key file ${keyPath} cannot be used.`, why, 'Check the path and its access rights.');
  }
}

function readKey(keyPath: string): Buffer | undefined {
  const fd = openIfThere(keyPath);
  if (fd === undefined) return undefined;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > maxFileBytes) throw damaged(keyPath);
    if ((stat.mode & 0o077) !== 0) {
      const why = `Its mode is ${(stat.mode & 0o777).toString(8).padStart(4, '0')}.`;
      throw invalid(`The key file ${keyPath} is open to other users.`, why, `Run: chmod 600 '${keyPath}'`);
    }
    if (stat.uid !== process.getuid?.()) {
      throw invalid(
        `The key file ${keyPath} belongs to another user.`,
        `Its owner has the id ${stat.uid}.`,
        'Run agov as that user, or use a key file of your own.',
      );
    }
    const text = readFileSync(fd, 'latin1');
    if (!keyPattern.test(text)) throw damaged(keyPath);
    return Buffer.from(text, 'base64');
  } finally {
    closeSync(fd);
  }
}

function openIfThere(keyPath: string): number | undefined {
  try {
    // O_NONBLOCK: a pipe at that place must not make us wait.
    return openSync(keyPath, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function createKey(keyPath: string, env: Env): void {
  mkdirSync(dirname(keyPath), { recursive: true, mode: 0o700 });
  const mark = `${process.pid}-${Buffer.from(env.random(8)).toString('hex')}.tmp`;
  createOnce(keyPath, mark, `${Buffer.from(env.random(keyBytes)).toString('base64')}\n`);
}

function damaged(keyPath: string): AgovError {
  return invalid(
    `The key file ${keyPath} is damaged.`,
    `It must hold ${keyBytes} bytes in base64 and nothing else.`,
    'Restore it from a backup.',
  );
}

function invalid(what: string, why: string, fix: string): AgovError {
  return new AgovError('KEY_INVALID', { what, why, fix });
}
