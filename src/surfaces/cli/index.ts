/** The command line: parse, call the app, render. */
import { type Command, CommanderError } from 'commander';
import {
  type AddCommands,
  type GlobalOptions,
  type Io,
  reportError,
  rootCommand,
  type SignalSource,
} from './frame/index.ts';

export type { Io, SignalSource };

/** Runs one command line (without program name) and returns the exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const acting = actLine(argv);
  if (acting) return (await import('./agents/act.ts')).act(acting, io);
  const result = { code: 0 };
  const program = await programFor(argv, io, (code) => {
    result.code = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return result.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
    return reportError(io, program.opts<GlobalOptions>(), error);
  }
}

/** What comes after `act`, unless it is a call for help. */
function actLine(argv: readonly string[]): readonly string[] | undefined {
  const at = argv.findIndex((one) => one !== '--json');
  const next = argv[at + 1];
  if (argv[at] !== 'act' || next === undefined || next === '--help' || next === '-h') return undefined;
  return [...argv.slice(0, at), ...argv.slice(at + 1)];
}

const agents = async (): Promise<AddCommands> => (await import('./agents/index.ts')).agentCommands;
const record = async (): Promise<AddCommands> => (await import('./record/index.ts')).recordCommands;
const context = async (): Promise<AddCommands> => (await import('./context/index.ts')).contextCommands;
const work = async (): Promise<AddCommands> => (await import('./work/index.ts')).workCommands;

/** Where the commands that are started most often are found; a command that is not here is found in the whole tree. */
const groups: Readonly<Record<string, () => Promise<AddCommands>>> = {
  ...{ agent: agents, run: agents, approve: agents, deny: agents, approvals: agents },
  ...{ kill: agents, freeze: agents, thaw: agents, act: agents },
  ...{ checkpoint: context, mcp: context, memory: context, status: context, worker: work },
  ...{ ledger: record, artifact: record, pipeline: work, preflight: work },
};

/** What comes after the options that every command takes. */
function firstWord(argv: readonly string[]): string {
  for (let i = 0; i < argv.length; i++) {
    const one = argv[i] ?? '';
    if (one === '-C' || one === '--project') i += 1;
    else if (one !== '--json' && one !== '--verbose') return one;
  }
  return '';
}

/** Only the group that the first word names: loading the others costs more than most commands take. */
async function programFor(argv: readonly string[], io: Io, setExit: (code: number) => void): Promise<Command> {
  const word = firstWord(argv);
  const load = Object.hasOwn(groups, word) ? groups[word] : undefined;
  if (load) return rootCommand(io, setExit, [await load()]);
  const { buildProgram } = await import('./program.ts');
  return buildProgram(io, setExit);
}
