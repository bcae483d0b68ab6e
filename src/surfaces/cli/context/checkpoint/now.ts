import { Option } from 'commander';
import { type AddCommands, oneLine } from '../../frame/index.ts';

export const asOperator = ['--as <operator>', 'the operator who does it'] as const;

export const nowCommand: AddCommands = (checkpoint, define) => {
  const next = new Option('--next <step>', 'what is to be done next; may be given again');
  define(
    checkpoint
      .command('now')
      .description('take one: files in flight, status, runs, approvals, memory, the ledger’s head, your notes')
      .option('--notes <text>', 'what whoever goes on should know')
      .addOption(next.argParser((step, before: readonly string[] = []) => [...before, step]))
      .option('--tag <tag>', 'a name to find it by; tagged ones are not pruned')
      .option(...asOperator),
    (cli, _args, { notes, next: steps, tag, as }) =>
      cli.withApp(async (app) => {
        const checkpoints = await app.checkpointsOf(app.operator(as));
        const taken = await checkpoints.now({
          ...(notes === undefined ? {} : { notes }),
          ...(steps === undefined ? {} : { next: steps }),
          ...(tag === undefined ? {} : { tag }),
        });
        cli.emit(taken, () => {
          const { about, files, missing } = taken;
          const lines = [
            `${about.id}${about.tag === undefined ? '' : `  ${about.tag}`}`,
            `  ${files === 1 ? '1 file' : `${files} files`} in flight`,
            ...missing.map(({ part, why }) => `  without ${part}: ${oneLine(why)}`),
            '  agov checkpoint load',
          ];
          return lines.join('\n');
        });
      }),
    [
      'agov checkpoint now --notes "retry works, timeout still fails" --next "fix the timeout test"',
      'agov checkpoint now --tag before-merge',
    ],
  );
};
