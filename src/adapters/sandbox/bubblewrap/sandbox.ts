/**
 * The sandbox on bubblewrap: new namespaces of every kind, no capability, a view of the file system that is built up from
 * nothing, and a process 1 that takes everything along when the command, bubblewrap or the governor ends.
 */
import { openSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { AgovError, type Env, packageFile } from '../../../kernel/index.ts';
import { checkCommand } from '../command.ts';
import type { Running, Sandbox, SandboxCommand, SandboxHealth } from '../port.ts';
import { findProgram } from '../programs.ts';
import { spawned } from '../spawned.ts';
import { agent, egress, relayInside, viewArguments } from './arguments.ts';
import { sandboxMissing } from './failure.ts';
import { type Ground, prepareGround } from './ground.ts';
import { tryOut } from './health.ts';
import { signature } from './orphans.ts';
import { follow } from './running.ts';
import { readReport, readStatus } from './status.ts';
import { checkAnchor, dropAnchor } from './view/anchor.ts';
import { planMounts } from './view/mounts.ts';
import { closeAll, searchPath, toolFolder } from './view/system.ts';

export interface BubblewrapOptions {
  readonly env: Env;
  /** Shown read-only in every run; missing ones are skipped. */
  readonly extraReadOnly?: readonly string[];
  /** Name or path of bubblewrap's program. */
  readonly program?: string;
}

/** The last thing the arguments' descriptor says and the first that is needed after it: a text cut short runs nothing. */
const complete = signature;

export function bubblewrapSandbox(options: BubblewrapOptions): Sandbox {
  let ground: Ground | undefined;
  let health: Promise<SandboxHealth> | undefined;
  const start = async (command: SandboxCommand): Promise<Running> => {
    ground ??= prepareGround(options.program ?? 'bwrap', { agov: launcher() });
    return launch(command, ground, options);
  };
  return {
    kind: 'bubblewrap',
    library: agent.library,
    start,
    locate(program, cwd) {
      const node = join(toolFolder, 'node');
      if (program === 'node' || program === node) return node;
      if (program === 'agov' || program === agent.program) return agent.program;
      // Every folder of the PATH inside is the host's own, at the same place.
      const found = findProgram(program, searchPath, cwd);
      return found.kind === 'found' ? found.path : undefined;
    },
    health() {
      health ??= tryOut(start, options.program ?? 'bwrap');
      return health;
    },
  };
}

async function launch(input: SandboxCommand, ground: Ground, options: BubblewrapOptions): Promise<Running> {
  const anchor = dropAnchor(input.profile.workspace);
  const command = checkCommand(input);
  const { network } = command.profile;
  const proxy = network.mode === 'none' ? undefined : { socket: network.socket, relay: relaySource() };
  const mounts = planMounts(command, options.extraReadOnly ?? []);
  const opened: number[] = [];
  const stdio: (number | 'pipe' | 'ignore' | 'inherit')[] = [
    command.stdin === 'none' ? 'ignore' : command.stdin,
    ...(['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] as const),
  ];
  const [argumentsFrom, statusTo, waitFor] = [3, 4, 5];
  try {
    const descriptors = {
      data(name: string): number {
        const file = ground.files.get(name);
        if (file === undefined) throw new AgovError('INTERNAL', { what: `The sandbox has no file ${name}.` });
        const descriptor = file();
        opened.push(descriptor);
        return stdio.push(descriptor) - 1;
      },
    };
    const files = [...ground.files.keys()].filter((name) => name.startsWith('/'));
    const { socket } = command.profile;
    const door = socket === undefined ? undefined : { socket, library: librarySource() };
    const view = viewArguments({ files, mounts, cwd: command.cwd, env: command.env, proxy, door, descriptors });
    const reportTo = proxy === undefined ? undefined : stdio.push('pipe') - 1;
    const rest =
      proxy === undefined || reportTo === undefined
        ? command.argv
        : [
            `${toolFolder}/node`,
            relayInside(proxy.relay),
            `${egress.port}`,
            egress.socket,
            `${reportTo}`,
            ...command.argv,
          ];
    coverInherited(stdio, ground.inherited, opened);
    const [program, ...fixed] = ground.command;
    const own = [
      '--args',
      `${argumentsFrom}`,
      '--chmod',
      '0555',
      complete,
      '--remount-ro',
      '/',
      '--json-status-fd',
      `${statusTo}`,
      '--block-fd',
      `${waitFor}`,
      '--',
    ];
    const startedAt = options.env.monotonic();
    // An environment of its own: the command's variables (LD_PRELOAD!) must not act on bubblewrap, and in its arguments
    // every user of the host could read them. Its own session: a Ctrl-C is the governor's to pass on.
    const child = await spawned(program, [...fixed, ...own, ...rest], { stdio, env: {}, detached: true, cwd: '/' });
    const channel = child.stdio as readonly unknown[] as readonly Duplex[]; // Node makes every 'pipe' a two-way socket
    const [args, statusFrom, go] = [channel[argumentsFrom], channel[statusTo], channel[waitFor]];
    if (args === undefined || statusFrom === undefined || go === undefined) throw sandboxMissing(program, 'bubblewrap');
    args.on('error', () => undefined); // bubblewrap gave up before it had read all: its status says so
    args.end([...view, '--dir', complete].map((argument) => `${argument}\0`).join(''));
    const reportFrom = reportTo === undefined ? undefined : channel[reportTo];
    go.on('error', () => undefined); // as above
    const status = readStatus(statusFrom);
    const running = await follow({
      program: command.argv[0],
      child,
      status,
      report: reportFrom && readReport(reportFrom),
      env: options.env,
      startedAt,
    });
    // The command waits until the view has been looked at.
    const warden = await status.warden;
    try {
      if (warden !== undefined) await checkAnchor(anchor, warden, complete, options.env);
    } catch (error) {
      await running.kill();
      throw error;
    }
    go.end('.');
    return running;
  } finally {
    closeAll(opened);
  }
}

/** Puts the null device over each descriptor that would be inherited. */
function coverInherited(stdio: unknown[], inherited: readonly number[], opened: number[]): void {
  const open = inherited.filter((descriptor) => descriptor >= stdio.length);
  if (open.length === 0) return;
  const nothing = openSync('/dev/null', 'r');
  opened.push(nothing);
  while (stdio.length <= Math.max(...open)) stdio.push(open.includes(stdio.length) ? nothing : 'ignore');
}

/** In the form that this file has: source, or part of the bundle. */
const isSource = extname(import.meta.url) === '.ts';

function relaySource(): string {
  return packageFile(isSource ? 'src/adapters/sandbox/bubblewrap/relay.ts' : 'dist/relay.js');
}

function librarySource(): string {
  return packageFile(isSource ? 'src/agent-client' : 'dist/agent');
}

/** The program for shells is a file of data, since only such a one can be made executable inside. */
function launcher(): string {
  return `#!${toolFolder}/node\nimport('${agent.library}/program.${isSource ? 'ts' : 'mjs'}');\n`;
}
