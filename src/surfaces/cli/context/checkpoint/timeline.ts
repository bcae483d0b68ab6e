import type { ReadCheckpoint } from '../../../../context/checkpoint/index.ts';
import { type AddCommands, type Cli, oneLine } from '../../frame/index.ts';
import { lineOf } from '../../work/watch/line.ts';
import { parseLimit, shortId } from '../memory/options.ts';
import { asOperator } from './now.ts';

export const timelineCommand: AddCommands = (checkpoint, define) => {
  define(
    checkpoint
      .command('timeline')
      .description('all that were taken, the newest first')
      .option('-n, --limit <count>', 'how many', '20')
      .option('--graph', 'a lane for each branch')
      .option(...asOperator),
    (cli, _args, { limit, graph, as }) =>
      cli.withApp(async (app) => {
        const most = parseLimit(limit, 10_000);
        const { read, broken } = await (await app.checkpointsOf(app.operator(as))).list();
        const shown = read.slice(0, most);
        const told = shown.map(({ checkpoint: { about, parts }, damage }) => ({
          ...about,
          ...(parts.git.ok ? { git: parts.git.value } : {}),
          ...(parts.files.ok ? { files: parts.files.value.files.length + parts.files.value.more } : {}),
          damage,
        }));
        for (const id of broken) cli.note(`The checkpoint ${id} cannot be read.`);
        cli.emit({ checkpoints: told, broken }, () => {
          if (shown.length === 0) return 'There is none yet: agov checkpoint now';
          return graph ? graphOf(cli, shown) : tableOf(cli, shown);
        });
      }),
    ['agov checkpoint timeline', 'agov checkpoint timeline --graph -n 50'],
  );
};

function tableOf(cli: Cli, all: readonly ReadCheckpoint[]): string {
  const rows = all.map((read) => [...headOf(read), branchOf(read), filesOf(read), said(read)]);
  return cli.table(['ID', 'WHEN', 'BY', 'CAUSE', 'BRANCH', 'FILES', 'NOTES'], rows);
}

function headOf({ checkpoint: { about } }: ReadCheckpoint): readonly string[] {
  const by = 'operator' in about.by ? about.by.operator : about.by.agent;
  return [shortId(about.id), about.at.slice(0, 16).replace('T', ' '), by, about.cause];
}

function branchOf({ checkpoint: { parts } }: ReadCheckpoint): string {
  return parts.git.ok ? oneLine(parts.git.value.branch ?? '(none)') : '–';
}

function filesOf({ checkpoint: { parts } }: ReadCheckpoint): string {
  return parts.files.ok ? String(parts.files.value.files.length + parts.files.value.more) : '–';
}

function said({ checkpoint: { about, parts }, damage }: ReadCheckpoint): string {
  const notes = parts.notes.ok ? (parts.notes.value.notes ?? parts.notes.value.next[0] ?? '') : '';
  const [first] = damage;
  const broken = first === undefined ? '' : first.part === 'record' ? 'not as recorded ' : 'damaged ';
  return `${broken}${about.tag === undefined ? '' : `[${about.tag}] `}${oneLine(notes).slice(0, 60)}`;
}

/** The newest on top, in the column of its branch; a line where a column goes on. */
function graphOf(cli: Cli, all: readonly ReadCheckpoint[]): string {
  const width = cli.io.stdout.isTTY === true ? (cli.io.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  const lanes = [...new Set(all.map(branchOf))];
  const last = new Map(lanes.map((lane) => [lane, all.findLastIndex((read) => branchOf(read) === lane)]));
  const first = new Map(lanes.map((lane) => [lane, all.findIndex((read) => branchOf(read) === lane)]));
  return all
    .map((read, i) => {
      const own = branchOf(read);
      const columns = lanes.map((lane) => {
        if (lane === own) return cli.colors.yellow('●');
        return i > (first.get(lane) ?? 0) && i < (last.get(lane) ?? 0) ? '│' : ' ';
      });
      const [id, when, by] = headOf(read);
      const lanesWidth = 2 * lanes.length + 1;
      const text = [
        { text: `${id} ` },
        { text: `${when} ${by}`, color: cli.colors.dim },
        { text: ` ${own}  ${said(read)}`.trimEnd() },
      ];
      return `${columns.join(' ')}  ${lineOf(text, width - lanesWidth)}`;
    })
    .join('\n');
}
