/** What is different between two checkpoints, part by part. */
import type { Checkpoint, Part } from '../format/parts.ts';

export interface Line {
  readonly sign: '+' | '-' | '~';
  readonly text: string;
}

export interface Difference {
  readonly part: string;
  readonly lines: readonly Line[];
}

/** Parts that are alike are left out. */
export function differences(a: Checkpoint, b: Checkpoint): readonly Difference[] {
  const [from, to] = [a.parts, b.parts];
  const pairs: readonly (readonly [string, ReadonlyMap<string, string>, ReadonlyMap<string, string>])[] = [
    both('git', from.git, to.git, ({ branch, commit, subject }) => [
      ['branch', branch ?? 'none'],
      ['commit', commit === undefined ? 'none' : `${commit.slice(0, 12)} ${subject ?? ''}`],
    ]),
    both('files', from.files, to.files, ({ files }) =>
      files.map((one) => [one.path, `${one.change} ${one.sha256?.slice(0, 12) ?? one.without ?? ''}`.trim()]),
    ),
    both('status', from.status, to.status, ({ directories }) =>
      directories.map(({ path, phase, tasks, fault }) => [
        path || '.',
        `${fault ?? phase ?? 'unknown'}, ${tasks.filter(({ done }) => done).length} of ${tasks.length} tasks done`,
      ]),
    ),
    both('runs', from.work, to.work, ({ runs }) => runs.map(({ run, what, status }) => [run, `${what} ${status}`])),
    both('approvals', from.work, to.work, ({ approvals }) =>
      approvals.map(({ id, agent, what }) => [id, `${agent} ${what}`]),
    ),
    both('failures', from.work, to.work, ({ failures }) =>
      failures.map(({ entry, what, why }) => [entry, `${what}: ${why}`]),
    ),
    both('agents', from.agents, to.agents, ({ agents }) =>
      agents.map(({ name, tier, status }) => [name, `${tier} ${status}`]),
    ),
    both('memory', from.memory, to.memory, ({ entries }) => entries.map(({ id, title }) => [id, title])),
    both('next', from.notes, to.notes, ({ next }) => next.map((step) => [step, ''])),
    both('ledger', from.ledger, to.ledger, ({ size }) => [['size', String(size)]]),
    both('environment', from.environment, to.environment, ({ system, tools }) => [
      ['system', system],
      ...Object.entries(tools),
    ]),
  ];
  return pairs.map(([part, x, y]) => ({ part, lines: linesOf(x, y) })).filter(({ lines }) => lines.length > 0);
}

function both<T>(
  name: string,
  a: Part<T>,
  b: Part<T>,
  use: (value: T) => readonly (readonly [string, string])[],
): readonly [string, ReadonlyMap<string, string>, ReadonlyMap<string, string>] {
  const map = (part: Part<T>): ReadonlyMap<string, string> => new Map(part.ok ? use(part.value) : []);
  return [name, map(a), map(b)];
}

function linesOf(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): readonly Line[] {
  const text = (key: string, value: string): string => (value === '' ? key : `${key}  ${value}`);
  const changed = [...a].flatMap(([key, value]): Line[] => {
    const now = b.get(key);
    if (now === undefined) return [{ sign: '-', text: text(key, value) }];
    return now === value ? [] : [{ sign: '~', text: `${text(key, value)} → ${now}` }];
  });
  const added = [...b].flatMap(([key, value]): Line[] => (a.has(key) ? [] : [{ sign: '+', text: text(key, value) }]));
  return [...changed, ...added];
}
