import { resolve } from 'node:path';
import { Option } from 'commander';
import type { App } from '../../../../app/index.ts';
import type { Updated, Wanted } from '../../../../context/status/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { type Phase, phases } from '../../../../schemas/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';

interface Options {
  readonly phase?: Phase;
  readonly task?: readonly string[];
  readonly done?: readonly string[];
  readonly note?: string;
  readonly owner?: string;
  readonly as?: string;
  readonly agent?: string;
  readonly workspace?: string;
}

const maxText = 2000;

export const updateCommand: AddCommands = (status, define) => {
  define(
    status
      .command('update [dir]')
      .description('say how the work in a directory stands; its STATUS.md is made where there is none')
      .addOption(new Option('--phase <phase>', 'where it stands').choices([...phases]))
      .option('--task <text>', 'something to do; may be given again', collect)
      .option('--done <text>', 'a task that is done, or how it alone begins; may be given again', collect)
      .option('--note <text>', 'a line under "Notes", with time and name')
      .option('--owner <name>', 'who answers for it')
      .option('--as <operator>', 'the operator who does it')
      .option('--agent <name>', 'do it as this agent: an intent to write the file')
      .option('--workspace <dir>', 'with --agent: the folder it works in (default: the project)'),
    (cli, [dir = '.'], options: Options) =>
      cli.withApp(async (app) => {
        const done = await change(cli, app, dir, options);
        const file = done.path === '' ? 'STATUS.md' : `${done.path}/STATUS.md`;
        cli.emit({ file, changed: done.changed }, () => `${done.changed ? 'Updated' : 'As it was:'} ${oneLine(file)}`);
      }),
    [
      'agov status update --task "Resuming work"',
      'agov status update services/api --phase in-progress --task "write the parser"',
      'agov status update services/api --done "write the parser" --note "CRLF works too"',
    ],
  );
};

async function change(cli: Cli, app: App, dir: string, options: Options): Promise<Updated> {
  const { agent, workspace, as } = options;
  const wanted = wantedOf(options);
  const directory = resolve(cli.cwd, dir);
  // Also for an agent: from inside of a governed run it is done over the socket, as the agent that it is.
  const { operator } = app.operator(as);
  if (agent === undefined) {
    return (await app.status()).update(directory, { ...wanted, by: operator });
  }
  const channel = { agent, run: app.ids(), workspace: await app.workspace(resolve(cli.cwd, workspace ?? '.')) };
  return app.updateStatusFor(channel, directory, wanted);
}

/** @throws USAGE */
function wantedOf({ phase, task = [], done = [], note, owner }: Options): Omit<Wanted, 'by'> {
  const line = (flag: string, text: string): string => {
    const trimmed = text.trim();
    if (trimmed !== '' && trimmed.length <= maxText && !/\p{Cc}/u.test(trimmed) && trimmed.isWellFormed())
      return trimmed;
    throw new AgovError('USAGE', {
      what: `${flag} takes one line of at most ${maxText} characters, without control characters.`,
      ...(flag === '--note' ? {} : { fix: 'What is longer goes into the body of the file.' }),
    });
  };
  return {
    ...(phase === undefined ? {} : { phase }),
    tasks: task.map((text) => line('--task', text)),
    done: done.map((text) => line('--done', text)),
    ...(note === undefined
      ? {}
      : {
          note: note
            .split('\n')
            .map((text) => (text.trim() === '' ? '' : line('--note', text)))
            .join('\n'),
        }),
    ...(owner === undefined ? {} : { owner: line('--owner', owner).slice(0, 200) }),
  };
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
