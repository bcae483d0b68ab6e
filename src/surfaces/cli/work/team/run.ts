import { resolve } from 'node:path';
import type { App } from '../../../../app/index.ts';
import { AgovError, type JsonObject, parseDuration } from '../../../../kernel/index.ts';
import { jsonObjectSchema } from '../../../../schemas/index.ts';
import { teamReport } from '../../../../work/teams/index.ts';
import { type AddCommands, type Cli, oneLine, printable, refused } from '../../frame/index.ts';
import { treeOf } from './show.ts';

export const runCommand: AddCommands = (team, define) => {
  define(
    team
      .command('run <name>')
      .description('run a team on one task; 0 where its strategy came to a good end, 1 where it did not')
      .requiredOption('--task <text>', 'what it is to do')
      .option('--input <json>', 'input besides the task: a JSON object')
      .option('--workspace <dir>', 'folder of the project to work in (default: the project)')
      .option('--timeout <duration>', 'stop it after this long: 30s, 15m'),
    (cli, [name = ''], options) => cli.withApp((app) => run(cli, app, name, options)),
    [
      'agov team run review --task "May this branch be merged?"',
      'agov team run fix --task "Make the tests pass" --json',
    ],
  );
};

interface RunOptions {
  readonly task?: string;
  readonly input?: string;
  readonly workspace?: string;
  readonly timeout?: string;
}

const lookEveryMs = 1000;

async function run(
  cli: Cli,
  app: App,
  team: string,
  { task = '', input, workspace: folder, timeout }: RunOptions,
): Promise<number> {
  if (task.trim() === '') throw new AgovError('USAGE', { what: 'The task is empty.', fix: 'Say what it is to do.' });
  const workspace = await app.workspace(folder === undefined ? '.' : resolve(cli.cwd, folder));
  const runTeam = await app.runTeam();
  const id = app.ids();
  const [stop, over] = [new AbortController(), new AbortController()];
  using _signals = cli.io.signals.listen(() => stop.abort(new Error('It was stopped.')));
  const watching = cli.json ? undefined : watch(cli, app, id, over.signal);
  const acted = await runTeam({
    ...{ team, task, run: id, workspace, begin: {}, slot: 'team', signal: stop.signal },
    input: input === undefined ? undefined : readInput(input),
    ...(timeout === undefined ? {} : { timeoutMs: parseDuration(timeout) }),
  }).finally(() => over.abort());
  await watching;
  if (acted.verdict !== 'allow') return refused(cli, team, acted);
  const { value } = acted;
  cli.emit({ run: id, intent: acted.id, ...value, artifacts: [...value.artifacts] }, () =>
    printable(value.output === undefined ? value.text : JSON.stringify(value.output, null, 2)),
  );
  const how = value.exitCode === 0 ? cli.colors.green(value.end) : cli.colors.yellow(value.end);
  cli.note(
    `${how}${value.reason === undefined ? '' : `: ${oneLine(value.reason)}`}  ${cli.colors.dim(`agov team show ${id}`)}`,
  );
  return value.exitCode;
}

/** Tells each change of the tree as it comes. */
async function watch(cli: Cli, app: App, run: string, over: AbortSignal): Promise<void> {
  const ledger = await app.ledger();
  let told = '';
  while (!over.aborted) {
    await app.env.sleep(lookEveryMs, over).catch(() => undefined); // only by the end
    const shown = treeOf(
      cli,
      await teamReport({ ledger, budgets: await app.budgets(), artifacts: app.artifacts }, run),
    );
    if (shown !== told && shown !== '') cli.note(shown);
    told = shown;
  }
}

function readInput(text: string): JsonObject {
  try {
    return jsonObjectSchema.parse(JSON.parse(text));
  } catch {
    throw new AgovError('USAGE', { what: '--input is no JSON object.', fix: 'Write it as {"key": "value"}' });
  }
}
