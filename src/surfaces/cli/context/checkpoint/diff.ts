import { type AddCommands, oneLine } from '../../frame/index.ts';
import { asOperator } from './now.ts';

export const diffCommand: AddCommands = (checkpoint, define) => {
  define(
    checkpoint
      .command('diff <a> <b>')
      .description('what is different between two: files, status, runs, agents, memory')
      .option(...asOperator),
    (cli, [a = '', b = ''], { as }) =>
      cli.withApp(async (app) => {
        const found = await (await app.checkpointsOf(app.operator(as))).difference(a, b);
        const { green, red, yellow, bold } = cli.colors;
        const color = { '+': green, '-': red, '~': yellow };
        cli.emit(found, () =>
          found.length === 0
            ? 'Nothing is different.'
            : found
                .map(({ part, lines }) =>
                  [bold(part), ...lines.map(({ sign, text }) => color[sign](`  ${sign} ${oneLine(text)}`))].join('\n'),
                )
                .join('\n'),
        );
      }),
    ['agov checkpoint diff before-merge latest'],
  );
};
