import { AgovError, type Json, messageOf } from '../../../../kernel/index.ts';
import { readRun, signalRun } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { parsedOf } from './drive/follow.ts';

export const signalCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline
      .command('signal <run> <event>')
      .description('tell the stages of a run that wait for an event that it has come; also before they do')
      .option('--data <json>', 'what the stages may read of it, as event.data')
      .option('--as <operator>', 'the operator who signals'),
    (cli, [run = '', name = ''], options) =>
      cli.withApp(async (app) => {
        const by = app.operator(options['as']);
        const event = { name, data: readData(options['data']) };
        await app.governor();
        const ledger = await app.ledger();
        const state = readRun(ledger, run);
        await signalRun(ledger, await parsedOf(app, state), state, event, by);
        const { status } = readRun(ledger, run);
        cli.emit({ run, event: name, status }, () => {
          const next = status === 'waiting' ? ` Nobody drives it now: agov pipeline resume ${run}` : '';
          return `${by.operator} signalled "${name}" to run ${run}.${next}`;
        });
      }),
    [
      'agov pipeline signal 0199c2d4-… deploy-window',
      `agov pipeline signal 0199c2d4-… deploy-window --data '{"until": "18:00"}'`,
    ],
  );
};

function readData(text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new AgovError('USAGE', {
      what: '--data is no JSON.',
      why: messageOf(error),
      fix: `--data '{"key": "value"}'`,
    });
  }
}
