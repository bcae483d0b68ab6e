/** Starts a process, and says why where the system refuses: Node throws some refusals and emits others. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { AgovError, messageOf, systemCode } from '../../kernel/index.ts';

/** @throws AgovError INPUT_INVALID for too long a command line, SANDBOX_MISSING */
export async function spawned(program: string, args: readonly string[], options: SpawnOptions): Promise<ChildProcess> {
  let child: ChildProcess;
  try {
    child = spawn(program, args, options);
  } catch (error) {
    throw notStarted(error);
  }
  if (child.pid === undefined) throw notStarted((await once(child, 'error'))[0]);
  return child;
}

function notStarted(error: unknown): AgovError {
  if (systemCode(error) === 'E2BIG') {
    return new AgovError('INPUT_INVALID', {
      what: 'The command line is longer than the system takes.',
      fix: 'Pass long values in a file or on standard input.',
    });
  }
  return new AgovError('SANDBOX_MISSING', {
    what: 'The command could not be started.',
    why: messageOf(error),
    fix: 'Free processes and descriptors of this user, or raise their limits.',
  });
}
