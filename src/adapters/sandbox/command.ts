/** Checks a command before anything starts, and resolves its folders: what comes out can be trusted by both kinds. */
import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { AgovError, systemCode } from '../../kernel/index.ts';
import type { SandboxCommand } from './port.ts';

export interface CheckedCommand extends SandboxCommand {
  /** Real paths. */
  readonly workspace: string;
  readonly cwd: string;
}

/** @throws AgovError INPUT_INVALID, WORKSPACE_INVALID */
export function checkCommand(command: SandboxCommand): CheckedCommand {
  const { argv, env, profile } = command;
  if (argv[0] === '') throw malformed('The command', 'It is empty.');
  for (const argument of argv) refuseNul('An argument of the command', argument);
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || name.includes('='))
      throw malformed('The name of an environment variable', 'It is empty or has =.');
    refuseNul(`The environment variable ${JSON.stringify(name)}`, name + value);
  }
  const { hidden, readOnly, readWrite } = profile;
  for (const path of [profile.workspace, ...hidden, ...profile.protected, ...readOnly, ...readWrite]) checkPath(path);
  const workspace = realFolder(profile.workspace, 'The workspace');
  if (command.cwd !== undefined) checkPath(command.cwd);
  const cwd = command.cwd === undefined ? workspace : realFolder(command.cwd, 'The working directory');
  if (!isWithin(cwd, workspace)) {
    throw new AgovError('WORKSPACE_INVALID', {
      what: `The working directory ${cwd} is outside the workspace ${workspace}.`,
      fix: 'Run the command from a folder inside the workspace.',
    });
  }
  return { ...command, workspace, cwd };
}

/** Whether `path` is `folder` or lies beneath it; both absolute and normal. */
export function isWithin(path: string, folder: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith(`..${sep}`));
}

function checkPath(path: string): void {
  refuseNul('A path of the sandbox profile', path);
  if (!isAbsolute(path)) throw malformed(`The path ${JSON.stringify(path)}`, 'It is not absolute.');
}

function refuseNul(what: string, text: string): void {
  // The kernel ends strings at NUL: what is checked here and what is executed would be two different things.
  if (text.includes('\0')) throw malformed(what, 'It holds a NUL byte.');
}

function malformed(what: string, why: string): AgovError {
  return new AgovError('INPUT_INVALID', { what: `${what} cannot be used.`, why, fix: 'Correct it and run again.' });
}

function realFolder(path: string, what: string): string {
  try {
    const real = realpathSync(path);
    if (statSync(real).isDirectory()) return real;
  } catch (error) {
    throw folderInvalid(what, path, `The system says ${systemCode(error) ?? 'nothing more'}.`);
  }
  throw folderInvalid(what, path, 'It is not a folder.');
}

function folderInvalid(what: string, path: string, why: string): AgovError {
  return new AgovError('WORKSPACE_INVALID', {
    what: `${what} ${path} cannot be used.`,
    why,
    fix: 'Name an existing folder that this user can read.',
  });
}
