import { graphLines, graphMermaid, mustParse } from '../../../../work/pipeline/index.ts';
import type { AddCommands } from '../../frame/index.ts';
import { known, readPipeline } from '../file.ts';

export const graphCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline
      .command('graph <file>')
      .description('which stage needs which, by steps from the first to the last')
      .option('--mermaid', 'as Mermaid, for pages that draw it'),
    (cli, [file = ''], { mermaid }) =>
      cli.withApp(async (app) => {
        const parsed = mustParse(readPipeline(cli, file), file, await known(cli, app, file));
        const text = graphMermaid(parsed);
        cli.emit({ pipeline: parsed.name, mermaid: text }, () => (mermaid ? text : graphLines(parsed).join('\n')));
      }),
    ['agov pipeline graph pipelines/release.yaml', 'agov pipeline graph pipelines/release.yaml --mermaid'],
  );
};
