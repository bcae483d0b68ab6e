/** Runs a tool's commands for real: on this machine as they are, or inside any sandbox. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { bubblewrapSandbox } from '../../src/adapters/sandbox/bubblewrap/index.ts';
import type { Sandbox } from '../../src/adapters/sandbox/port.ts';
import type { ToolCommand, ToolContext, ToolExec } from '../../src/adapters/tools/port.ts';
import { AgovError, sha256Hex, systemCode, systemEnv } from '../../src/kernel/index.ts';

export interface ToolRoom extends Disposable {
  readonly context: ToolContext;
  /** Puts content where `context.artifact` finds it; its digest. */
  keep(content: Uint8Array | string): string;
}

/** A project folder that is also the workspace unless `workspace` names another, and a scratch folder beside it. */
export function toolRoom(options: Partial<ToolContext> & { readonly agent: string }): ToolRoom {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'agov-tool-')));
  const artifacts = new Map<string, Buffer>();
  for (const name of ['project', 'scratch']) mkdirSync(join(base, name));
  const projectRoot = join(base, 'project');
  return {
    context: {
      workspace: projectRoot,
      projectRoot,
      scratch: join(base, 'scratch'),
      protectedBranches: ['main'],
      environments: {},
      signal: new AbortController().signal,
      async artifact(sha256) {
        const content = artifacts.get(sha256);
        if (!content) throw new AgovError('NOT_FOUND', { what: `There is no artifact ${sha256}.` });
        return content;
      },
      ...options,
    },
    keep(content) {
      const bytes = Buffer.from(content);
      artifacts.set(sha256Hex(bytes), bytes);
      return sha256Hex(bytes);
    },
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** The same project, another seat: an empty scratch folder as each call gets, and what `changes` says. */
export function nextCall(context: ToolContext, changes: Partial<ToolContext> = {}): ToolContext {
  return { ...context, scratch: mkdtempSync(`${context.scratch}-`), ...changes };
}

/** No containment at all: what a tool must not rely on a sandbox for is tested with this. */
export function bareExec(context: ToolContext, path = process.env['PATH'] ?? ''): ToolExec {
  return (command) =>
    new Promise((resolve, reject) => {
      const [program, ...args] = command.argv;
      const child = execFile(
        program,
        args,
        {
          cwd: command.cwd ?? context.workspace,
          env: { PATH: path, HOME: context.scratch, LANG: 'C.UTF-8', ...command.env },
          maxBuffer: 16 * 1024 * 1024,
        },
        (error, stdout, stderr) => {
          if (error && systemCode(error) === 'ENOENT') reject(notFound(program));
          else if (error && typeof error.code !== 'number') reject(error);
          else resolve({ code: Number(error?.code ?? 0), stdout, stderr });
        },
      );
      child.stdin?.on('error', () => undefined); // a program that ends without reading
      child.stdin?.end(command.input);
    });
}

export function bubblewrap(): Sandbox {
  return bubblewrapSandbox({ env: systemEnv() });
}

/** As the governor runs them: `.agov` hidden, `.git` closed to all but the commands that ask for it. */
export function sandboxExec(sandbox: Sandbox, context: ToolContext): ToolExec {
  return async (command) => {
    const running = await sandbox.start({
      argv: command.argv,
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      env: command.env ?? {},
      stdin: 'pipe',
      profile: profileOf(command, context),
    });
    running.stdin?.on('error', () => undefined); // a program that ends without reading
    running.stdin?.end(command.input);
    const [stdout, stderr, exit] = await Promise.all([buffer(running.stdout), buffer(running.stderr), running.exit]);
    return { code: exit.code, stdout: stdout.toString(), stderr: stderr.toString() };
  };
}

function profileOf(command: ToolCommand, context: ToolContext) {
  const closed = [join(context.workspace, '.git'), join(context.projectRoot, 'agov.yaml')];
  return {
    workspace: context.workspace,
    access: command.access === 'read' ? ('read-only' as const) : ('read-write' as const),
    hidden: [join(context.projectRoot, '.agov')],
    protected: closed.filter((path) => !command.unprotect?.includes(path)),
    readOnly: command.readOnly ?? [],
    readWrite: command.readWrite ?? [],
    network: { mode: 'none' as const },
  };
}

function notFound(program: string): AgovError {
  return new AgovError('COMMAND_NOT_FOUND', { what: `The command ${program} does not exist.` });
}
