import { resolve } from 'node:path';
import { type AddCommands, oneLine, printable } from '../../frame/index.ts';
import { phaseColor, symbols } from './phases.ts';

export const showCommand: AddCommands = (status, define) => {
  define(
    status.command('show [dir]').description('the status of one directory, with what people wrote'),
    (cli, [dir = '.']) =>
      cli.withApp(async (app) => {
        const shown = (await app.status()).show(resolve(cli.cwd, dir));
        const { path, status: said, body } = shown;
        cli.emit(shown, () => {
          const { bold, dim } = cli.colors;
          const open = said.tasks.filter(({ done }) => !done).length;
          const head = [
            `${bold(oneLine(path))}  ${phaseColor(said.phase, cli.colors)(`${symbols[said.phase]} ${said.phase}`)}`,
            ...(said.owner === undefined ? [] : [`owner    ${oneLine(said.owner)}`]),
            ...(said.updated === undefined ? [] : [`updated  ${said.updated}`]),
            ...(said.depends.length === 0 ? [] : [`depends  ${said.depends.map(oneLine).join(', ')}`]),
          ];
          const tasks = said.tasks.map(
            ({ text, done }) => `  ${done ? '✓' : '·'} ${done ? dim(oneLine(text)) : oneLine(text)}`,
          );
          const list = tasks.length === 0 ? [] : ['', `${tasks.length} tasks, ${open} open`, ...tasks];
          const words = body.trim() === '' ? [] : ['', printable(body).trim()];
          return [...head, ...list, ...words].join('\n');
        });
      }),
    ['agov status show services/api', 'agov status show services/api --json'],
  );
};
