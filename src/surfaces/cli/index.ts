/** The command line: parse, call the app, render. */
import { CommanderError } from 'commander';
import { type GlobalOptions, type Io, reportError, type SignalSource } from './frame/index.ts';
import { buildProgram } from './program.ts';

export type { Io, SignalSource };

/** Runs one command line (without program name) and returns the exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const result = { code: 0 };
  const program = buildProgram(io, (code) => {
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
