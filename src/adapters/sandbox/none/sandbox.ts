/**
 * No sandbox (`sandbox: none`): the command runs as the governor's user with all that this user may do. Nothing of the
 * profile is enforced but the workspace as working directory. What is kept is that no process outlives the run.
 */
import type { ChildProcess } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import { extname } from 'node:path';
import { AgovError, type Env, packageFile } from '../../../kernel/index.ts';
import { type CheckedCommand, checkCommand } from '../command.ts';
import { commandNotExecutable, commandNotFound } from '../failures.ts';
import type { Running, Sandbox, SandboxCommand } from '../port.ts';
import { findProgram, type Lookup } from '../programs.ts';
import { spawned } from '../spawned.ts';
import { markName } from './family.ts';
import { follow } from './running.ts';

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function unconfinedSandbox({ env }: { readonly env: Env }): Sandbox {
  return {
    kind: 'none',
    library: packageFile(extname(import.meta.url) === '.ts' ? 'src/agent-client' : 'dist/agent'),
    health: async () => ({ ok: true, detail: 'Commands are not confined: the configuration says sandbox: none.' }),
    locate(program, cwd) {
      const found = findProgram(program, basicEnvironment().PATH, cwd);
      return found.kind === 'found' ? found.path : undefined;
    },
    async start(input: SandboxCommand): Promise<Running> {
      const command = checkCommand(input);
      const mark = Buffer.from(env.random(16)).toString('hex');
      const { socket } = command.profile;
      const door = socket === undefined ? {} : { AGOV_SOCKET: socket };
      const variables = { ...basicEnvironment(), ...command.env, ...door, [markName]: mark };
      const found = findProgram(command.argv[0], variables.PATH, command.cwd);
      const startedAt = env.monotonic();
      const child = await launch(found, command, variables);
      return follow({ child, mark, env, startedAt, failure: failureOf(found, command.argv[0]) });
    },
  };
}

function basicEnvironment(): { readonly PATH: string } & Readonly<Record<string, string>> {
  return { PATH: process.env['PATH'] ?? systemPath, HOME: homedir(), TMPDIR: tmpdir(), LANG: 'C.UTF-8' };
}

/** `setpriv` lets the command die with the governor; where it is missing, only an orderly end of the governor does. */
function launch(
  found: Lookup,
  command: CheckedCommand,
  variables: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  // What cannot be executed is stood in for by nothing at all, so that the caller gets a run that ends like any other.
  const target = found.kind === 'found' ? [found.path, ...command.argv.slice(1)] : ['/bin/sh', '-c', ''];
  const setpriv = findProgram('setpriv', `${process.env['PATH'] ?? ''}:${systemPath}`, '/');
  const [program, ...rest] = setpriv.kind === 'found' ? [setpriv.path, '--pdeathsig', 'KILL', '--', ...target] : target;
  if (program === undefined) throw new AgovError('INTERNAL', { what: 'There is no program to start.' });
  return spawned(program, rest, {
    cwd: command.cwd,
    env: variables,
    detached: true,
    stdio: [command.stdin === 'none' ? 'ignore' : command.stdin, 'pipe', 'pipe'],
  });
}

function failureOf(found: Lookup, program: string): AgovError | undefined {
  switch (found.kind) {
    case 'found':
      return undefined;
    case 'missing':
      return commandNotFound(program);
    case 'not-executable':
      return commandNotExecutable(program);
  }
}
