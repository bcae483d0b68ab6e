/** The tree of commands. Each one's work is loaded when it runs, so that the others cost nothing. */
import { Command, Help, Option } from 'commander';
import { agentCommands } from './agents/index.ts';
import { createCli, type Define, type GlobalOptions, type Io } from './frame/index.ts';
import { recordCommands } from './record/index.ts';
import { ruleCommands } from './rules/index.ts';
import { setupCommands } from './setup/index.ts';
import { workCommands } from './work/index.ts';

export function buildProgram(io: Io, setExit: (code: number) => void): Command {
  const program = new Command('agov')
    .description('Runs AI agents under rules they cannot get around, and proves afterwards what each of them did.')
    .version(io.version)
    .addOption(new Option('--json', 'print JSON for machines'))
    .addOption(new Option('--verbose', 'show stack traces'))
    .addOption(new Option('-C, --project <dir>', 'look for the project from this folder'))
    .showHelpAfterError('(see "agov --help")')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
    })
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, optionDescription: describeOption })
    .helpCommand(true);

  const define: Define = (command, work, examples = []) => {
    if (examples.length > 0) command.addHelpText('after', `\nExamples:\n${examples.map((e) => `  ${e}`).join('\n')}`);
    return command.action(async () => {
      const cli = createCli(io, program.opts<GlobalOptions>());
      const code = await work(cli, command.args, command.opts());
      setExit(code ?? 0);
    });
  };

  for (const add of [setupCommands, agentCommands, ruleCommands, recordCommands, workCommands]) add(program, define);
  program.addHelpText('after', '\nBegin with "agov init" in a project of yours. Exit codes: docs/generated/errors.md');
  return program;
}

function describeOption(option: Option): string {
  return `${new Help().optionDescription(option)}${option.mandatory ? ' (required)' : ''}`;
}
