import { resolve } from 'node:path';
import { Writable } from 'node:stream';
import type { App } from '../../../../app/index.ts';
import { AgovError, type JsonObject, parseDuration } from '../../../../kernel/index.ts';
import { jsonObjectSchema } from '../../../../schemas/index.ts';
import type { AgentResult } from '../../../../work/agents/index.ts';
import { type AddCommands, type Cli, oneLine, printable, refused } from '../../frame/index.ts';

export const runAgentCommand: AddCommands = (agent, define) => {
  define(
    agent
      .command('run <name>')
      .description('run an agent by its definition on one task; the exit code says how it ended')
      .requiredOption('--task <text>', 'what it is to do')
      .option('--input <json>', 'input besides the task: a JSON object')
      .option('--workspace <dir>', 'folder of the project to work in (default: the project)')
      .option('--timeout <duration>', 'stop it after this long: 30s, 15m')
      .option('--resume <run>', 'go on with a run that waited for an approval; the same task again'),
    (cli, [name = ''], options) => cli.withApp((app) => run(cli, app, name, options)),
    [
      'agov agent run reviewer --task "Is there anything in this repository that should not be public?"',
      'agov agent run reviewer --task "Judge this change." --input \'{"branch": "agov/builder/x"}\' --json',
    ],
  );
};

interface RunOptions {
  readonly task?: string;
  readonly input?: string;
  readonly workspace?: string;
  readonly timeout?: string;
  readonly resume?: string;
}

async function run(cli: Cli, app: App, name: string, options: RunOptions): Promise<number> {
  const { task = '', input, workspace: folder, timeout, resume } = options;
  if (task.trim() === '') throw new AgovError('USAGE', { what: 'The task is empty.', fix: 'Say what it is to do.' });
  const workspace = await app.workspace(folder === undefined ? '.' : resolve(cli.cwd, folder));
  const runAgent = await app.runAgent();
  const id = resume ?? app.ids();
  const stop = new AbortController();
  using _signals = cli.io.signals.listen(() => stop.abort());
  const acted = await runAgent({
    ...{ channel: { agent: name, run: id, workspace }, task, begin: {}, signal: stop.signal },
    input: input === undefined ? undefined : readInput(input),
    ...(timeout === undefined ? {} : { timeoutMs: parseDuration(timeout) }),
    ...(cli.json ? {} : { stdout: showing(cli.io.stdout), stderr: showing(cli.io.stderr) }),
  });
  if (acted.verdict !== 'allow') {
    const code = refused(cli, name, acted);
    if (acted.verdict === 'ask') cli.note(`  then: agov agent run ${name} --resume ${id} --task "…"`);
    return code;
  }
  const { value, outcome } = acted;
  if (cli.json) cli.emit({ run: id, intent: acted.id, ...value, facts: outcome.facts }, () => '');
  else tell(cli, id, value);
  return value.exitCode;
}

function tell(cli: Cli, run: string, { end, reason, output }: AgentResult): void {
  if (output !== undefined) cli.emit(output, () => printable(JSON.stringify(output, null, 2)));
  const { green, yellow, dim } = cli.colors;
  const how = end === 'finished' ? green(end) : yellow(end);
  cli.note(`${how}${reason === undefined ? '' : `: ${oneLine(reason)}`}  ${dim(`run ${run}`)}`);
}

/** A terminal would obey what a model or a command writes. */
function showing(to: Cli['io']['stdout']): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: Buffer | string, _encoding, done) {
      to.write(to.isTTY ? printable(chunk.toString()) : chunk, () => done());
    },
  });
}

function readInput(text: string): JsonObject {
  try {
    return jsonObjectSchema.parse(JSON.parse(text));
  } catch {
    throw new AgovError('USAGE', { what: '--input is no JSON object.', fix: 'Write it as {"key": "value"}' });
  }
}
