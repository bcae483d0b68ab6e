/** What a brief is made of, each piece with how useful it is to somebody who knows nothing any more. */
import type { Damage } from '../format/file.ts';
import type { About, FileInFlight, Part, Parts } from '../format/parts.ts';
import { damageTold } from '../store/record.ts';
import { essence } from './essence.ts';
import type { Piece } from './pack.ts';
import { line, lines, whose } from './words.ts';

export interface Told {
  /** The checkpoint; left out where there is none, and what stands now is all that there is. */
  readonly about?: About;
  readonly damage: readonly Damage[];
  /** Whether the parts are those of now, not of the checkpoint. */
  readonly live: boolean;
  readonly parts: Parts;
  /** By path. */
  readonly hunks: ReadonlyMap<string, string>;
  /** Files that the checkpoint had in flight and that are as in the last commit now. */
  readonly settled: readonly string[];
}

const names = {
  task: 'Task',
  next: 'Next steps',
  files: 'Files in flight',
  failed: 'What failed last',
  approvals: 'Waiting for approval',
  runs: 'Runs not ended',
  notes: 'Notes',
  changes: 'Changes',
  memory: 'Memory',
  others: 'Elsewhere in the project',
  agents: 'Agents',
  environment: 'Environment',
  missing: 'Not known',
} as const;
export const sections: readonly string[] = ['', ...Object.values(names)];

export function piecesOf(told: Told): readonly Piece[] {
  const { parts } = told;
  return [
    ...headPieces(told),
    ...taskPieces(parts),
    ...valued(parts.notes, ({ next, notes }) => [
      ...next.map((step, i) => piece(names.next, i < 8 ? 2 : 9, `${i + 1}. ${line(step)}`, 'next steps', true)),
      ...(notes === undefined ? [] : [piece(names.notes, 6, lines(notes), 'notes', true)]),
    ]),
    ...filePieces(told),
    ...workPieces(parts),
    ...memoryPieces(parts),
    ...valued(parts.agents, ({ agents }) =>
      agents.map(({ name, tier, status }, i) =>
        piece(
          names.agents,
          i < 10 ? 13 : 17,
          `- ${name} ${tier}${status === 'active' ? '' : ` ${line(status, 40)}`}`,
          'agents',
        ),
      ),
    ),
    ...valued(parts.environment, ({ system, tools }) => {
      const all = Object.entries(tools).map(([name, version]) => `${name} ${version}`);
      return [piece(names.environment, 14, line([system, ...all].join(', '), 1000), 'environment')];
    }),
    ...valued(parts.ledger, ({ size, root }) => [
      piece(names.environment, 15, `Ledger of ${size} entries, root ${line(root, 16)}.`, 'environment'),
    ]),
    ...Object.entries(parts).flatMap(([name, part]) =>
      part.ok ? [] : [piece(names.missing, 4, `- ${name}: ${line(part.why)}`, 'parts that are missing')],
    ),
  ];
}

function piece(section: string, rank: number, text: string, what: string, clip?: true): Piece {
  return { section, rank, text, what, ...(clip ? { clip } : {}) };
}

function valued<T>(part: Part<T>, use: (value: T) => readonly Piece[]): readonly Piece[] {
  return part.ok ? use(part.value) : [];
}

function headPieces({ about, damage, live }: Told): readonly Piece[] {
  if (!about) return [piece('', 0, 'There is no checkpoint. This is what stands here now.', 'head')];
  const who = 'operator' in about.by ? about.by.operator : about.by.agent;
  const tag = about.tag === undefined ? '' : ` "${line(about.tag)}"`;
  const when = `${line(about.at.slice(0, 16).replace('T', ' '))} UTC`;
  const which = live ? 'What follows is as it stands now.' : 'What follows is as it was then.';
  const head = `Checkpoint ${about.id.slice(-12)}${tag} of ${when} by ${who}. ${which}`;
  const broken = damage.map((one) => piece('', 0, damageTold(one), 'head'));
  return [piece('', 0, head, 'head'), ...broken];
}

/** Work in progress first, what was spoken of last before the rest; then what others are at. */
function taskPieces({ status, git }: Parts): readonly Piece[] {
  const onBranch = valued(git, ({ branch, commit, subject }) => {
    const at = commit === undefined ? 'no commit yet' : `${commit.slice(0, 10)} "${line(subject ?? '', 100)}"`;
    return [
      piece(names.task, 3, `On ${branch === undefined ? 'no branch' : `branch ${line(branch)}`}, at ${at}.`, 'task'),
    ];
  });
  const directories = status.ok ? status.value.directories : [];
  const urgency = { 'in-progress': 0, blocked: 1, review: 2, 'not-started': 3, complete: 4 } as const;
  const sorted = [...directories].sort(
    (a, b) => urgency[a.phase ?? 'complete'] - urgency[b.phase ?? 'complete'] || later(a.updated, b.updated),
  );
  const told = sorted.map((one, i) => {
    const open = one.tasks.filter(({ done }) => !done).map(({ text }) => line(text, 160));
    const done = one.tasks.length - open.length;
    const owner = one.owner === undefined ? '' : `, ${line(one.owner, 80)}`;
    const waits = one.depends.length === 0 ? '' : ` Waits for ${line(one.depends.join(', '))}.`;
    const tasks = open.length === 0 ? '' : ` Open: ${open.slice(0, 6).join('; ')}${open.length > 6 ? '; …' : '.'}`;
    const count = one.tasks.length === 0 ? '' : ` ${done} of ${one.tasks.length} tasks done.`;
    const text = `- ${line(one.path) || '.'}: ${line(one.fault ?? one.phase ?? 'unknown')}${owner}.${tasks}${count}${waits}`;
    const active = one.phase === 'in-progress' || one.phase === 'blocked' || one.phase === 'review';
    const rank = i === 0 && active ? 1 : active && i < 5 ? 3 : active && i < 20 ? 11 : 16;
    return piece(active ? names.task : names.others, rank, text, 'directories', true);
  });
  const more = status.ok ? status.value.more : 0;
  const rest =
    more === 0 ? [] : [piece(names.others, 3, `- and ${more} more directories: agov status dashboard`, 'directories')];
  return [...onBranch, ...told, ...rest];
}

function later(a: string | undefined, b: string | undefined): number {
  return (Date.parse(b ?? '') || 0) - (Date.parse(a ?? '') || 0);
}

function filePieces({ parts, hunks, settled }: Told): readonly Piece[] {
  if (!parts.files.ok) return [];
  const { files, more } = parts.files.value;
  // What a status says is told as the task.
  const isStatus = ({ path }: FileInFlight): boolean => /(?:^|\/)STATUS\.md$/.test(path);
  const sorted = [...files].sort(
    (a, b) => Number(isStatus(a)) - Number(isStatus(b)) || (b.touched ?? 0) - (a.touched ?? 0),
  );
  const listed = sorted.map((file, i) =>
    piece(names.files, i < 12 ? 3 : i < 60 ? 10 : 18, `- ${shown(file)}`, 'files'),
  );
  const rest = more > 0 ? [piece(names.files, 3, `- and ${more} more`, 'files')] : [];
  const gone = settled.map((path, i) =>
    piece(names.files, i < 6 ? 7 : 18, `- ${line(path)}: was in flight then, is as committed now`, 'files'),
  );
  const changed = sorted.flatMap((file, i) => {
    const own = hunks.get(file.path);
    if (own === undefined || own === '' || isStatus(file)) return [];
    const brief = essence(own, 8);
    const full = essence(own, 200);
    return [
      piece(names.changes, i < 6 ? 8 : i < 20 ? 12 : 18, `### ${line(file.path)}\n${brief}`, 'changes', true),
      ...(full === brief || i >= 10
        ? []
        : [piece(names.changes, 19, `### ${line(file.path)}, in full\n${full}`, 'changes')]),
    ];
  });
  return [...listed, ...rest, ...gone, ...changed];
}

function shown({ path, from, change, added, removed, without, redacted }: FileInFlight): string {
  const lines = added === undefined ? '' : ` +${added} -${removed ?? 0}`;
  const why = without === undefined ? '' : ` (${without})`;
  const secret = redacted === undefined ? '' : ' (holds a secret)';
  return `${line(path)} ${change}${from === undefined ? '' : ` from ${line(from)}`}${lines}${why}${secret}`;
}

function workPieces({ work }: Parts): readonly Piece[] {
  return valued(work, ({ runs, approvals, failures }) => [
    ...failures.map(({ at, what, why, agent }, i) => {
      const who = agent === undefined ? '' : ` ${line(agent, 80)}`;
      const text = `- ${line(at.slice(0, 16).replace('T', ' '))}${who}: ${line(what, 200)}: ${line(why, 400)}`;
      return piece(names.failed, i === 0 ? 4 : i < 3 ? 7 : 16, text, 'failures', true);
    }),
    ...approvals.map(({ id, agent, what, expiresAt }, i) => {
      const text = `- ${line(id.slice(-12))}: ${agent} wants ${line(what, 200)}, until ${line(expiresAt, 16)}`;
      return piece(names.approvals, i < 5 ? 5 : 14, text, 'approvals');
    }),
    ...runs.map(({ run, what, status, stages }, i) => {
      const at = stages.length === 0 ? '' : ` at ${line(stages.join(', '))}`;
      return piece(names.runs, i < 5 ? 5 : 14, `- ${line(run)}: ${line(what, 120)}, ${line(status)}${at}`, 'runs');
    }),
  ]);
}

function memoryPieces({ memory }: Parts): readonly Piece[] {
  return valued(memory, ({ entries }) =>
    entries.flatMap(({ id, title, kind, summary, tags, space }, i) => {
      const tagged = tags.length === 0 ? '' : ` [${line(tags.join(' '), 120)}]`;
      const head = `- ${line(id.slice(-12))} ${line(title, 120)} (${line(kind, 40)}${whose(space)})${tagged}`;
      const failed = tags.some((tag) => /^(?:fail(?:ed|ure)?|error)$/.test(tag));
      if (failed)
        return [piece(names.failed, i < 4 ? 4 : 12, `${head}: ${line(summary, 600)}`, 'memory entries', true)];
      const text = summary === '' ? head : `${head}: ${line(summary, 500)}`;
      return [piece(names.memory, i < 3 ? 9 : i < 10 ? 13 : 17, text, 'memory entries', true)];
    }),
  );
}
