/** Where the units of a run are done: chosen when it starts, kept for as long as it lasts. */
import type { Command } from 'commander';
import type { App } from '../../../../../app/index.ts';
import { AgovError } from '../../../../../kernel/index.ts';
import { createPerform, type Perform, type RunState } from '../../../../../work/pipeline/index.ts';
import { type Cli, oneLine } from '../../../frame/index.ts';
import type { Live } from './live.ts';

export function withEngine(command: Command): Command {
  return command.option(
    '--engine <engine>',
    'embedded or bullmq: done here, or by workers; by default as agov.yaml says',
  );
}

/** What a new run is started with. @throws USAGE; CONFIG_INVALID and STATE_UNAVAILABLE where no worker could ever be told */
export async function chosenEngine(app: App, given: string | undefined): Promise<'bullmq' | undefined> {
  const engine = given ?? app.config.engine;
  if (engine === 'embedded') return undefined;
  if (engine !== 'bullmq')
    throw new AgovError('USAGE', {
      what: `There is no engine "${oneLine(engine)}".`,
      fix: 'Write embedded or bullmq.',
    });
  await (await app.queue()).fleet.list();
  return 'bullmq';
}

export interface Performing extends AsyncDisposable {
  readonly perform: Perform;
}

export async function performing(cli: Cli, app: App, { run, engine }: RunState, show: Live): Promise<Performing> {
  if (engine === 'bullmq')
    return app.remote(run, { version: cli.io.version, onNote: (text) => cli.note(oneLine(text)) });
  const perform = createPerform({
    ...{ exec: await app.exec(), useTool: await app.useTool(), tools: app.tools, budgets: await app.budgets() },
    runAgent: await app.runAgent(),
    runTeam: await app.runTeam(),
    output: show.output,
  });
  return { perform, [Symbol.asyncDispose]: async () => undefined };
}
