import { resolve } from 'node:path';
import { Option } from 'commander';
import { z } from 'zod';
import { type App, toolbox } from '../../../app/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import { type AddCommands, type Cli, oneLine, printable, refused } from '../frame/index.ts';

/** `git.commit` is `agov git commit`: each wrapped tool is a command, its arguments are options. */
export const toolCommands: AddCommands = (program, define) => {
  const groups = new Map<string, ReturnType<typeof program.command>>();
  for (const tool of toolbox()) {
    const [group = '', verb = ''] = tool.name.split('.');
    let parent = groups.get(group);
    if (!parent) {
      parent = program.command(group).description(`governed ${group}: ${groupSummaries[group] ?? group}`);
      groups.set(group, parent);
    }
    const command = parent
      .command(verb)
      .description(tool.summary)
      .requiredOption('--agent <name>', 'who does it')
      .option('--workspace <dir>', 'folder of the project to work in (default: the project)');
    for (const [name, schema] of Object.entries(tool.args.shape))
      command.addOption(optionFor(name, schema as z.ZodType));
    define(command, (cli, _args, options) => cli.withApp((app) => use(cli, app, tool.name, options)));
  }
};

const groupSummaries: Readonly<Record<string, string>> = {
  fs: 'read, write and delete files of the workspace',
  git: 'worktrees, commits, pushes and merges',
  terraform: 'plans, and applying exactly the plan that was approved',
};

function optionFor(name: string, schema: z.ZodType): Option {
  const { type, description, items } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const optional = schema.safeParse(undefined).success;
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const value =
    type === 'boolean' ? '' : type === 'array' && items ? ' <value...>' : type === 'object' ? ' <json>' : ' <value>';
  const option = new Option(`${flag}${value}`, description ?? '');
  if (type === 'object') option.argParser(parseJson);
  return option.makeOptionMandatory(!optional);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AgovError('USAGE', { what: `${text.slice(0, 80)} is not JSON.`, fix: 'Write it as {"key": "value"}' });
  }
}

async function use(cli: Cli, app: App, name: string, options: Record<string, unknown>): Promise<number> {
  const { agent, workspace: folder, ...args } = options as { agent: string; workspace?: string };
  const tool = app.tools.get(name);
  if (!tool) throw new AgovError('INTERNAL', { what: `The tool ${name} is not in the toolbox.` });
  const workspace = await app.workspace(folder === undefined ? '.' : resolve(cli.cwd, folder));
  const stopped = new AbortController();
  using _signals = cli.io.signals.listen(() => stopped.abort());
  const useTool = await app.useTool();
  const acted = await useTool({ channel: { agent, run: app.ids(), workspace }, tool, args, signal: stopped.signal });
  if (acted.verdict !== 'allow') return refused(cli, agent, acted);
  const { value } = acted;
  cli.emit({ intent: acted.id, ...value }, () => (value.status === 'ok' ? shown(cli, value.text) : ''));
  if (value.status === 'ok') return 0;
  cli.note(`agov: ${name} failed: ${oneLine(value.reason ?? 'no reason given')}`);
  return 1;
}

/** A file's own bytes go into a pipe as they are; a terminal would obey what an agent wrote into them. */
function shown({ io }: Cli, text: string): string {
  return io.stdout.isTTY ? printable(text) : text;
}
