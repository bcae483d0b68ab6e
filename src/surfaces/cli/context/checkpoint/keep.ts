import { join } from 'node:path';
import { damageTold } from '../../../../context/checkpoint/index.ts';
import { AgovError } from '../../../../kernel/index.ts';
import { type AddCommands, oneLine } from '../../frame/index.ts';
import { shortId } from '../memory/options.ts';
import { asOperator } from './now.ts';

export const keepCommands: AddCommands = (checkpoint, define) => {
  define(
    checkpoint
      .command('prune')
      .description('remove old ones; those with a tag stay')
      .option('--keep <count>', 'how many of the newest stay (required)')
      .option('--agent <name>', 'those of this agent, not the project’s')
      .option(...asOperator),
    (cli, _args, { keep, agent, as }) => {
      const count = keepOf(keep);
      return cli.withApp(async (app) => {
        const done = await (await app.checkpointsOf(app.operator(as))).prune(
          count,
          agent === undefined ? {} : { agent },
        );
        cli.emit(done, () => `${done.removed.length} removed, ${done.kept} kept, ${done.contents} contents erased`);
      });
    },
    ['agov checkpoint prune --keep 50', 'agov checkpoint prune --keep 5 --agent builder'],
  );

  define(
    checkpoint
      .command('restore <id>')
      .description('put its files back, into a new branch with a folder of its own in .worktrees')
      .option('--branch <name>', 'what the branch is called; else checkpoint-ID')
      .option(...asOperator),
    (cli, [id = ''], { branch, as }) =>
      cli.withApp(async (app) => {
        const checkpoints = await app.checkpointsOf(app.operator(as));
        const done = await checkpoints.restore(id, (about) => {
          const name = branchOf(branch ?? `checkpoint-${shortId(about.id)}`);
          return { branch: name, folder: join(app.project.root, '.worktrees', name.replaceAll('/', '-')) };
        });
        for (const one of done.damage) cli.note(damageTold(one));
        cli.emit(done, () => {
          const { files, leftOut, folder, commit } = done;
          const lines = [
            `${files.length} files put back into ${folder}`,
            `  branch ${done.branch} at ${commit.slice(0, 12)}; nothing is committed`,
            ...leftOut.map(({ path, why }) => `  without ${oneLine(path)}: ${oneLine(why)}`),
          ];
          return lines.join('\n');
        });
      }),
    ['agov checkpoint restore before-merge', 'agov checkpoint restore 9f3a61c2d4e8 --branch rescue'],
  );
};

function keepOf(text: string | undefined): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw new AgovError('USAGE', { what: 'Pruning needs a number to keep.', fix: 'agov checkpoint prune --keep 50' });
}

function branchOf(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/.test(name) && !/\.\.|\/\/|\.lock$|[./]$/.test(name)) return name;
  throw new AgovError('USAGE', {
    what: `"${oneLine(name).slice(0, 100)}" is no name for a branch.`,
    fix: 'Use letters, digits and . _ - / in it.',
  });
}
