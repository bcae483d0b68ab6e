import { damageTold } from '../../../../context/checkpoint/index.ts';
import { type AddCommands, oneLine, printable } from '../../frame/index.ts';
import { asOperator } from './now.ts';

export const showCommand: AddCommands = (checkpoint, define) => {
  define(
    checkpoint
      .command('show [id]')
      .description('all that one holds; the newest where none is named')
      .option('--diff', 'what its files changed, as a unified diff')
      .option(...asOperator),
    (cli, [id = 'latest'], { diff, as }) =>
      cli.withApp(async (app) => {
        const checkpoints = await app.checkpointsOf(app.operator(as));
        const read = await checkpoints.get(id);
        for (const one of read.damage) cli.note(damageTold(one));
        if (diff) {
          const text = await checkpoints.diffText(read);
          return cli.emit({ id: read.checkpoint.about.id, diff: text }, () => printable(text) || 'It changed no text.');
        }
        const { about, parts } = read.checkpoint;
        cli.emit({ ...read.checkpoint, damage: read.damage }, () => {
          const head = Object.entries(about).map(
            ([key, value]) =>
              `${key}: ${oneLine(typeof value === 'object' ? Object.values(value).join(' ') : `${value}`)}`,
          );
          const rest = Object.entries(parts).map(([name, part]) => {
            const text = part.ok ? JSON.stringify(part.value, null, 2) : `not there: ${part.why}`;
            return `${cli.colors.bold(name)}\n${printable(text)}`;
          });
          return [...head, '', ...rest].join('\n');
        });
      }),
    ['agov checkpoint show', 'agov checkpoint show before-merge --diff'],
  );
};
