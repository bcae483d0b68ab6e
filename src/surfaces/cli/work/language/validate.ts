import { showFault } from '../../../../schemas/index.ts';
import { checkTemplates, parsePipeline } from '../../../../work/pipeline/index.ts';
import { type AddCommands, printable } from '../../frame/index.ts';
import { known, readPipeline } from '../file.ts';

export const validateCommand: AddCommands = (pipeline, define) => {
  define(
    pipeline
      .command('validate <file>')
      .description('every fault of a file of a pipeline or of templates, with its line and column'),
    (cli, [file = '']) =>
      cli.withApp(async (app) => {
        const text = readPipeline(cli, file);
        const knows = await known(cli, app, file);
        const templates = /^kind:\s*["']?Template\b/m.test(text) ? checkTemplates(text, file, knows) : undefined;
        const result = templates ?? parsePipeline(text, file, knows);
        const { faults, texts } = result.ok ? { faults: [], texts: new Map<string, string>() } : result;
        cli.emit({ ok: result.ok, faults }, () => {
          if (result.ok && templates) return `${cli.colors.green('ok')}: ${templates.names.join(', ')}`;
          if (result.ok)
            return `${cli.colors.green('ok')}: ${result.pipeline.name}, ${Object.keys(result.pipeline.stages).length} stages`;
          return [
            ...faults.map((f) => printable(showFault(f, texts.get(f.file) ?? ''))),
            `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`,
          ].join('\n');
        });
        return result.ok ? 0 : 1;
      }),
    ['agov pipeline validate pipelines/release.yaml', 'agov pipeline validate pipelines/parts.yaml'],
  );
};
