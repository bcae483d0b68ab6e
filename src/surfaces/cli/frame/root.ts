/** The program itself, with those groups of commands hung in that the command line needs. */
import { Command, Help, Option } from 'commander';
import { createCli, type GlobalOptions } from './cli.ts';
import type { AddCommands, Define } from './define.ts';
import type { Io } from './io.ts';

export function rootCommand(io: Io, setExit: (code: number) => void, groups: readonly AddCommands[]): Command {
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
    command.showHelpAfterError(`(see "${pathOf(command)} --help")`);
    if (examples.length > 0) command.addHelpText('after', `\nExamples:\n${examples.map((e) => `  ${e}`).join('\n')}`);
    return command.action(async () => {
      const cli = createCli(io, program.opts<GlobalOptions>());
      const code = await work(cli, command.args, command.opts());
      setExit(code ?? 0);
    });
  };

  for (const add of groups) add(program, define);
  program.addHelpText('after', '\nBegin with "agov init" in a project of yours. Exit codes: docs/generated/errors.md');
  return program;
}

/** The words that call it. */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

function describeOption(option: Option): string {
  return `${new Help().optionDescription(option)}${option.mandatory ? ' (required)' : ''}`;
}
