/** A picture of a run in so many columns and lines. Where it is too tall, what is done and what is to come is folded. */
import { formatDuration } from '../../../../kernel/index.ts';
import { type Cli, oneLine } from '../../frame/index.ts';
import { clipped, lineOf, type Piece, padded, wrapped } from './line.ts';
import { type Counts, type Phase, type Row, rowsOf, type View } from './rows.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export type Colors = Cli['colors'];

interface Pen extends Size {
  readonly colors: Colors;
  /** How wide the column of names is. */
  readonly names: number;
}

const roomy = 60;
const narrowestName = 8;

/** Never more than `rows - 1` lines, so that the terminal does not scroll. `gone`: nobody drives it any more. */
export function frameOf(view: View, size: Size, colors: Colors, gone: boolean): readonly string[] {
  const all = rowsOf(view);
  const widest = Math.max(narrowestName, ...all.map(labelOf).map((label) => label.length));
  // What stands beside a name needs some room itself.
  const names = Math.min(widest, Math.max(narrowestName, size.columns - (size.columns >= roomy ? 36 : 20)));
  const pen = { ...size, colors, names };
  const head = headOf(view, all, pen, gone);
  return [...head, ...fitted(all, Math.max(1, size.rows - 1 - head.length), pen)];
}

function headOf({ watch: { state }, pipeline, now }: View, rows: readonly Row[], pen: Pen, gone: boolean): string[] {
  const { bold, dim, yellow } = pen.colors;
  const ended = state.endedAt === undefined ? now : Date.parse(state.endedAt);
  const took = formatDuration(Math.max(0, ended - Date.parse(state.startedAt)));
  const line = lineOf(
    [
      { text: pipeline.name, color: bold },
      {
        text: ` ${state.cancelling !== undefined && !state.endedAt ? 'being cancelled' : state.status}`,
        color: statusColor(state.status, pen.colors),
      },
      { text: ` ${took}` },
      ...(pen.columns >= roomy ? [{ text: `  ${state.run}`, color: dim }] : []),
    ],
    pen.columns,
  );
  // What is undone was done, and is no work ahead.
  const forward = rows.filter(({ undo }) => !undo);
  const total = forward.reduce((sum, { items }) => sum + (items?.all ?? 1), 0);
  const done = forward.reduce((sum, { items, phase }) => sum + (items?.done ?? (isDone(phase) ? 1 : 0)), 0);
  const count = ` ${done}/${total}`;
  const bar = lineOf(
    [{ text: barOf({ done, all: total }, Math.min(40, pen.columns - count.length)) }, { text: count }],
    pen.columns,
  );
  const reason = state.reason ?? state.cancelling;
  const resume = `agov pipeline resume ${state.run}`;
  const notes = [
    ...(reason === undefined ? [] : [clipped(oneLine(reason), pen.columns)]),
    ...(gone ? wrapped(`Nobody drives it: ${resume}`, pen.columns) : []),
    ...(state.status === 'waiting' ? wrapped(`When it is answered: ${resume}`, pen.columns) : []),
  ];
  return [line, bar, ...notes.map((note) => yellow(note))];
}

/** First neighbours that are done or to come are folded, then all of them, then what is under way is cut. */
function fitted(rows: readonly Row[], room: number, pen: Pen): readonly string[] {
  const whole = rows.map((row) => linesOf(row, pen));
  if (height(whole) <= room) return whole.flat();
  const neighbours = folded(rows, pen);
  if (height(neighbours) <= room) return neighbours.flat();
  const quiet = (wanted: (phase: Phase) => boolean) => rows.filter(({ phase }) => wanted(phase));
  const done = foldOf(quiet(isDone), pen);
  const pending = foldOf(
    quiet((phase) => phase === 'pending'),
    pen,
  );
  // What failed or waits for a person comes first.
  const loud = [
    ...quiet((phase) => phase === 'failed'),
    ...quiet((phase) => phase === 'waits'),
    ...quiet((phase) => phase === 'active'),
  ];
  const left = room - done.length - pending.length;
  return [...done, ...cut(loud, left, pen), ...pending].slice(0, room);
}

function cut(rows: readonly Row[], room: number, pen: Pen): readonly string[] {
  const all = rows.map((row) => linesOf(row, pen));
  if (height(all) <= room) return all.flat();
  const shown: string[] = [];
  let count = 0;
  for (const lines of all) {
    if (shown.length + lines.length > room - 1) break;
    shown.push(...lines);
    count += 1;
  }
  return [
    ...shown,
    lineOf([{ text: `    … and ${rows.length - count} more under way`, color: pen.colors.dim }], pen.columns),
  ];
}

function folded(rows: readonly Row[], pen: Pen): readonly (readonly string[])[] {
  const groups: Row[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    const joins =
      last?.[0] !== undefined && kindOf(last[0].phase) === kindOf(row.phase) && kindOf(row.phase) !== 'loud';
    if (joins) last.push(row);
    else groups.push([row]);
  }
  return groups.map((group) => (group.length === 1 && group[0] ? linesOf(group[0], pen) : foldOf(group, pen)));
}

function kindOf(phase: Phase): 'done' | 'pending' | 'loud' {
  return isDone(phase) ? 'done' : phase === 'pending' ? 'pending' : 'loud';
}

function foldOf(rows: readonly Row[], { colors, columns }: Pen): readonly string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const last = rows.at(-1) ?? first;
  const done = isDone(first.phase);
  const range = rows.length === 1 ? first.name : `${first.name} … ${last.name}`;
  return [
    lineOf(
      [
        { text: '    ' },
        done ? { text: '✓', color: colors.green } : { text: '·', color: colors.dim },
        { text: ` ${rows.length} ${done ? 'done' : 'to come'}` },
        { text: `  ${range}`, color: colors.dim },
      ],
      columns,
    ),
  ];
}

function linesOf(row: Row, pen: Pen): readonly string[] {
  const { columns, colors, names } = pen;
  const color = phaseColor(row.phase, colors);
  const took = row.ms === undefined ? '' : formatDuration(row.ms);
  const pieces: Piece[] = [
    { text: row.step.padStart(3), color: colors.dim },
    { text: ` ${symbols[row.phase]} `, color },
    { text: padded(clipped(labelOf(row), names), names) },
    { text: row.ms === undefined && row.items === undefined ? '' : ` ${took.padStart(7)}` },
    { text: row.attempt > 1 ? ` #${row.attempt}` : '', color: colors.yellow },
    { text: row.worker === undefined ? '' : ` @${oneLine(row.worker)}`, color: colors.dim },
    ...(row.items ? itemPieces(row.items, pen) : []),
    { text: columns >= roomy && row.phase !== 'pending' ? `  ${row.agent}` : '', color: colors.dim },
  ];
  const line = lineOf(pieces, columns).trimEnd();
  if (row.detail === undefined || row.detail === '') return [line];
  return [line, lineOf([{ text: `      ${oneLine(row.detail)}`, color }], columns)];
}

function itemPieces(items: Counts, { colors, columns }: Pen): readonly Piece[] {
  return [
    { text: columns >= roomy ? ` ${barOf(items, 10)}` : '' },
    { text: ` ${items.done}/${items.all}` },
    { text: items.active > 0 ? ` ▸${items.active}` : '', color: colors.cyan },
    { text: items.failed > 0 ? ` ✗${items.failed}` : '', color: colors.red },
  ];
}

function barOf({ done, all }: Pick<Counts, 'done' | 'all'>, width: number): string {
  const full = all === 0 ? 0 : Math.floor((Math.max(0, width) * done) / all);
  return '█'.repeat(full) + '░'.repeat(Math.max(0, width - full));
}

function labelOf({ name, undo }: Row): string {
  return undo ? `undo ${name}` : name;
}

export const symbols: Readonly<Record<Phase, string>> = {
  done: '✓',
  skipped: '–',
  failed: '✗',
  active: '▸',
  waits: '‖',
  pending: '·',
};

function phaseColor(phase: Phase, { green, red, yellow, cyan, dim }: Colors): (text: string) => string {
  return { done: green, skipped: dim, failed: red, active: cyan, waits: yellow, pending: dim }[phase];
}

function statusColor(status: string, { green, red, yellow, cyan }: Colors): (text: string) => string {
  return status === 'ok' ? green : status === 'failed' ? red : status === 'running' ? cyan : yellow;
}

function isDone(phase: Phase): boolean {
  return phase === 'done' || phase === 'skipped';
}

function height(blocks: readonly (readonly string[])[]): number {
  return blocks.reduce((sum, block) => sum + block.length, 0);
}
