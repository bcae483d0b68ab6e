import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { App } from '../../../../app/index.ts';
import { AgovError, formatDuration } from '../../../../kernel/index.ts';
import {
  mustParse,
  type Outlook,
  outlookOf,
  outlookOfRetry,
  outlookOfRun,
  readParameters,
  readRun,
  stagesAgain,
} from '../../../../work/pipeline/index.ts';
import type { AddCommands, Cli } from '../../frame/index.ts';
import { pairs, readPipeline, templatesFor } from '../file.ts';
import { parsedOf } from '../runs/drive/follow.ts';
import { patiently } from './before.ts';
import { colored, printed } from './checks.ts';

export const preflightCommand: AddCommands = (program, define) => {
  define(
    program
      .command('preflight <file-or-run>')
      .description('look at all that must hold before a pipeline runs, or a run goes on; nothing starts')
      .option('-p, --param <name=value...>', 'a parameter of the pipeline'),
    (cli, [named = ''], { param = [] }) =>
      cli.withApp(async (app) => {
        const found = await patiently(cli, app, await outlookFrom(cli, app, named, param));
        cli.emit(found, () => `${printed(cli, found.checks)}\n\n${summary(cli, found)}`);
        return found.status === 'failed' ? 1 : 0;
      }),
    [
      'agov preflight pipelines/release.yaml',
      'agov preflight pipelines/release.yaml --param version=1.4 --json',
      'agov preflight 0199c2d4-…',
    ],
  );
};

function summary(cli: Cli, { status, ms, checks }: Awaited<ReturnType<typeof patiently>>): string {
  const failed = new Set(checks.filter((check) => check.status === 'failed').map(({ name }) => name)).size;
  const took = `looked at in ${formatDuration(ms)}`;
  if (status !== 'failed') return `${colored(cli, status)}: it may start; ${took}.`;
  const count = `${failed} ${failed === 1 ? 'check' : 'checks'} failed`;
  return `${colored(cli, status)}: ${count}, and a run is refused; ${took}.`;
}

/** A file's pipeline from its beginning; of a run what is left of it, or what a retry of it would do. */
async function outlookFrom(cli: Cli, app: App, named: string, param: readonly string[]): Promise<Outlook> {
  if (existsSync(resolve(cli.cwd, named)) || !/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(named)) {
    // Agents are looked at by a check of their own, beside all others.
    const parsed = mustParse(readPipeline(cli, named), named, {
      agents: undefined,
      tools: app.tools,
      templates: templatesFor(cli, app, named),
    });
    const engine = app.config.engine === 'bullmq' ? 'bullmq' : undefined;
    return outlookOf(parsed, readParameters(parsed, pairs(param)), engine);
  }
  if (param.length > 0) {
    const fix = 'Leave --param out, or name the file.';
    throw new AgovError('USAGE', { what: 'A run has its parameters already.', fix });
  }
  const state = readRun(await app.record(), named);
  const parsed = await parsedOf(app, state);
  if (state.endedAt === undefined) return outlookOfRun(parsed, state);
  return outlookOfRetry(parsed, state, stagesAgain(parsed, state, []));
}
