/** `agov act`: here it only hands over, so that the same line does the same inside a sandbox, where there is no agov but it. */
import { actExamples } from '../../../agent-client/shell/help.ts';
import type { AddCommands, Io } from '../frame/index.ts';

export const actCommand: AddCommands = (program, define) => {
  define(
    program
      .command('act <what> [args...]')
      .description('inside a governed process: ask the governor, as the agent that the process runs as')
      .option('--arg <key=value...>', 'argument of a tool; key:=json for what is no text')
      .option('--json-args <json>', 'all arguments of a tool')
      .option('--secret <NAME=path...>', 'exec: lease a secret into an environment variable')
      .option('--cwd <dir>', 'exec: folder of the workspace')
      .option('--timeout <duration>', 'exec and tools: kill it after this long')
      .option('--ttl <duration>', 'lock: it ends by itself after that, unless the command still runs')
      .option('--wait <duration>', 'lock: how long to wait for it')
      .option('--space <name>', 'board: whose')
      .option('--expected <version>', 'board: only if the item has this version; 0 if there is none'),
    (cli, words) => act(words, cli.io),
    [...actExamples],
  );
};

/** Called before the tree of commands is built: it is started often, and the tree has no place for "--" and what follows. */
export async function act(argv: readonly string[], { stdout, stderr, environment }: Io): Promise<number> {
  const { runAct } = await import('../../../agent-client/shell/act.ts');
  return runAct(argv, { stdout, stderr, environment });
}
