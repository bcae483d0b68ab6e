import { AgovError } from '../../../../kernel/index.ts';
import { type AddCommands, printable } from '../../frame/index.ts';
import { asOperator } from './now.ts';

export const loadCommand: AddCommands = (checkpoint, define) => {
  define(
    checkpoint
      .command('load [id]')
      .description('be told where you left off: the newest with what stands now, or the one named as it was then')
      .option('--budget <tokens>', 'at most so many tokens, by the tokenizer of agov.yaml', '2000')
      .option(...asOperator),
    (cli, [id], { budget, as }) =>
      cli.withApp(async (app) => {
        const checkpoints = await app.checkpointsOf(app.operator(as));
        const brief = await checkpoints.brief(id, tokensOf(budget));
        cli.emit(brief, () => printable(brief.text));
      }),
    ['agov checkpoint load', 'agov checkpoint load --budget 1500', 'agov checkpoint load before-merge --json'],
  );
};

function tokensOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new AgovError('USAGE', {
    what: `"${text.slice(0, 40)}" is no number of tokens.`,
    fix: 'Write --budget 1500',
  });
}
