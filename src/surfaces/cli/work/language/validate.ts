import { type Fault, showFault } from '../../../../schemas/index.ts';
import { parsePipeline } from '../../../../work/pipeline/index.ts';
import { type AddCommands, printable } from '../../frame/index.ts';
import { known, readPipeline } from '../file.ts';

export const validateCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline.command('validate <file>').description('every fault of a pipeline file, with its line and column'),
    (cli, [file = '']) =>
      cli.withApp(async (app) => {
        const text = readPipeline(cli, file);
        const result = parsePipeline(text, file, await known(app));
        const faults: readonly Fault[] = result.ok ? [] : result.faults;
        cli.emit({ ok: result.ok, faults }, () => {
          if (result.ok)
            return `${cli.colors.green('ok')}: ${result.pipeline.name}, ${Object.keys(result.pipeline.stages).length} stages`;
          return [
            ...faults.map((f) => printable(showFault(f, text))),
            `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`,
          ].join('\n');
        });
        return result.ok ? 0 : 1;
      }),
    ['agov pipeline validate pipelines/release.yaml'],
  );
};
