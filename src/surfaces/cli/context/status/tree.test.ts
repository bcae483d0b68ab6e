/** The tree fits wherever it is shown, and says what it does not show. */
import widthOf from 'fast-string-width';
import picocolors from 'picocolors';
import { expect, it } from 'vitest';
import type { Dashboard, DashboardRow } from '../../../../context/status/index.ts';
import { treeOf } from './tree.ts';

const colors = picocolors.createColors(false);
const row = (path: string, above: string | undefined, depth: number): DashboardRow => ({
  ...{ path, depth, phase: 'blocked', owner: 'somebody-with-a-long-name', stuck: 'blocked, waits for 東京' },
  ...(above === undefined ? {} : { above }),
  ...{ own: { done: 0, all: 1 }, total: { done: 199, all: 200 } },
});
const rows = [
  row('.', undefined, 0),
  ...Array.from({ length: 30 }, (_, i) => [
    row(`a-directory-${i}`, '.', 1),
    ...Array.from({ length: 10 }, (_, n) => row(`a-directory-${i}/東京-${n}`, `a-directory-${i}`, 2)),
  ]).flat(),
];
const seen: Dashboard = {
  rows,
  total: { done: 199, all: 200 },
  phases: { blocked: rows.length },
  stuck: rows,
  directories: 400,
};

it.each([20, 40, 59, 60, 80, 200])('fits %i columns and 24 lines', (columns) => {
  const lines = treeOf(seen, { columns, rows: 24 }, colors);
  for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(lines.join('\n')).not.toContain('100%');
});

it('folds levels that do not fit, and counts what is in them', () => {
  const lines = treeOf({ ...seen, stuck: [] }, { columns: 100, rows: 60 }, colors);
  expect(lines.find((line) => line.includes('a-directory-0'))).toMatch(/199\/200 \+10/);
  expect(lines).toHaveLength(2 + 31 + 1);
  expect(treeOf({ ...seen, stuck: [] }, { columns: 100, rows: 1000, depth: 9 }, colors).at(-1)).toContain(
    'and 131 more',
  );
});

it('obeys no name', () => {
  const [bad] = [row('x\u001b[2J\ny', undefined, 0)];
  const lines = treeOf({ ...seen, rows: bad ? [bad] : [], stuck: [] }, { columns: 80, rows: 24 }, colors);
  for (const character of ['\u001b', '\n']) expect(lines.join('')).not.toContain(character);
});
