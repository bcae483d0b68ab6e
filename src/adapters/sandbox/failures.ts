/** The errors of commands that never began, worded once for both kinds. */
import { AgovError } from '../../kernel/index.ts';

export function commandNotFound(program: string): AgovError {
  return new AgovError('COMMAND_NOT_FOUND', {
    what: `There is no command ${JSON.stringify(program)} in the sandbox.`,
    why: 'Neither the workspace nor the PATH of the sandbox has it, or the interpreter in its first line is missing.',
    fix: 'Install it under /usr, or list the folder that holds it among the read-only paths.',
  });
}

export function commandNotExecutable(program: string): AgovError {
  return new AgovError('COMMAND_NOT_EXECUTABLE', {
    what: `The command ${JSON.stringify(program)} cannot be executed.`,
    why: 'It is a folder, lacks the execute permission, or is not a program for this machine.',
    fix: `Run chmod +x on it, or name the program that should read it.`,
  });
}
