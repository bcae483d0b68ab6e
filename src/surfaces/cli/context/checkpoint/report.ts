import type { CheckpointParts, PartValue } from '../../../../context/checkpoint/index.ts';
import type { Dashboard, DashboardRow } from '../../../../context/status/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';
import { shortId } from '../memory/options.ts';
import { asOperator } from './now.ts';

const mostRows = 20;
const barWidth = 16;
/** Below that a bar leaves no room for names. */
const narrowest = 60;

export const reportCommand: AddCommands = (checkpoint, define) => {
  define(
    checkpoint
      .command('report')
      .description('checkpoint, status and memory in one view, as it stands now')
      .option(...asOperator),
    (cli, _args, { as }) =>
      cli.withApp(async (app) => {
        const operator = app.operator(as);
        const checkpoints = await app.checkpointsOf(operator);
        const [{ read }, { parts }, board] = await Promise.all([
          checkpoints.list(),
          checkpoints.look(),
          (await app.status()).dashboard(app.project.root),
        ]);
        const { entries } = await (await app.memoryOf(operator)).list({ limit: 5 });
        const own = read.filter(({ checkpoint }) => checkpoint.about.space === 'project');
        const newest = own[0]?.checkpoint.about;
        const told = { checkpoint: newest, checkpoints: own.length, now: parts, status: board, memory: entries };
        cli.emit(told, () => {
          const { bold } = cli.colors;
          const memory = entries.map(({ id, at, kind, title }) => [
            ...[shortId(id), at.slice(0, 16).replace('T', ' '), kind, oneLine(title)],
          ]);
          return [
            bold('Checkpoint'),
            newest
              ? `  ${shortId(newest.id)}${newest.tag === undefined ? '' : ` [${newest.tag}]`} of ${newest.at.slice(0, 16).replace('T', ' ')} UTC, ${own.length} in all`
              : '  none yet: agov checkpoint now',
            ...workLines(parts),
            '',
            bold('Status'),
            ...statusLines(cli, board),
            '',
            bold('Memory'),
            memory.length === 0 ? '  nothing yet: agov memory log' : cli.table(['ID', 'WHEN', 'KIND', 'TITLE'], memory),
          ].join('\n');
        });
      }),
    ['agov checkpoint report', 'agov checkpoint report --json'],
  );
};

function workLines({ git, files, work }: CheckpointParts): readonly string[] {
  const head = git.ok
    ? [`  on ${oneLine(git.value.branch ?? 'no branch')} at ${git.value.commit?.slice(0, 10) ?? 'no commit yet'}`]
    : [`  ${oneLine(git.why)}`];
  const flight = files.ok ? filesLines(files.value) : [];
  if (!work.ok) return [...head, ...flight, `  what is under way is not known: ${oneLine(work.why)}`];
  const { runs, approvals, failures } = work.value;
  return [
    ...head,
    ...flight,
    ...runs.map(({ run, what, status }) => `  run ${run}: ${oneLine(what)}, ${status}`),
    ...approvals.map(({ id, agent, what }) => `  approval ${shortId(id)}: ${agent} wants ${oneLine(what)}`),
    ...failures
      .slice(0, 3)
      .map(({ at, what, why }) => `  failed ${at.slice(0, 16)}: ${oneLine(what)}: ${oneLine(why)}`),
  ];
}

function filesLines({ files, more }: PartValue<'files'>): readonly string[] {
  const shown = files.slice(0, mostRows).map(({ path, change, added, removed }) => {
    const lines = added === undefined ? '' : ` +${added} -${removed ?? 0}`;
    return `    ${oneLine(path)} ${change}${lines}`;
  });
  const rest = files.length - shown.length + more;
  return [
    `  ${files.length + more} files in flight`,
    ...shown,
    ...(rest > 0 ? [`    and ${rest} more: git status --short`] : []),
  ];
}

function statusLines(cli: Cli, { rows, total, stuck }: Dashboard): readonly string[] {
  if (rows.length === 0) return ['  none yet: agov status update . --phase in-progress --task "…"'];
  const narrow = cli.io.stdout.isTTY === true && (cli.io.stdout.columns ?? 80) < narrowest;
  const bar = ({ done, all }: { readonly done: number; readonly all: number }): string => {
    if (narrow) return `${done}/${all}`;
    const full = all === 0 ? 0 : Math.round((done / all) * barWidth);
    return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${done}/${all}`;
  };
  const active = rows.filter(({ phase, depth }) => depth === 0 || (phase !== 'complete' && phase !== 'not-started'));
  const told = (row: DashboardRow): number => Date.parse(row.updated ?? '') || 0;
  // Of many, those that somebody spoke of last, in the order of the tree.
  const last = new Set([...active].sort((a, b) => told(b) - told(a)).slice(0, mostRows));
  const shown = active.filter((row) => last.has(row));
  const table = shown.map(({ path, phase, total: of }) => [oneLine(path), phase, bar(of)]);
  return [
    cli.table(['DIRECTORY', 'PHASE', 'DONE'], table),
    `  ${total.done} of ${total.all} done in ${rows.length === 1 ? '1 directory' : `${rows.length} directories`}${stuck.length === 0 ? '' : `, ${stuck.length} stuck`}: agov status dashboard`,
  ];
}
