import { expect, it } from 'vitest';
import { table } from './table.ts';

const id = '01a2067f-32df-760f-a2f1-cbf9c8cad682';
const wants = 'repo.merge main {"branch":"agov/builder/with-a-name-that-is-far-too-long-for-the-column","into":"main"}';
const rows = [[id, 'admin T2', wants, '0/1', '04:42:09']];
const head = ['ID', 'AGENT', 'WANTS', 'GIVEN', 'UNTIL'];

it('fits the terminal, keeps the id in one piece, and loses no character', () => {
  const lines = table(head, rows, 80).split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines[1]).toContain(id);
  const at = lines[0]?.indexOf('WANTS') ?? 0;
  const column = lines.slice(1).map((line) => line.slice(at, lines[0]?.indexOf('GIVEN')).trim());
  expect(column.join('').replaceAll(' ', '')).toBe(wants.replaceAll(' ', ''));
});

it('gives a pipe every row on one line', () => {
  expect(table(head, rows, undefined).split('\n')).toHaveLength(2);
});

it('wraps between words, and cuts none that a column can hold', () => {
  const text = table(['TIER', 'ALONE', 'NETWORK'], [['T1 Executor', 'write in its own workspace', 'per-action']], 40);
  for (const word of ['workspace', 'per-action', 'NETWORK']) expect(text).toContain(word);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
});

it('gives each row a block of its own where columns would be too narrow', () => {
  const text = table([...head, 'RUN'], [[...(rows[0] ?? []), id]], 60);
  const lines = text.split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  expect(lines[0]).toBe(id);
  expect(lines.at(-1)).toBe(`  RUN    ${id}`);
  expect(text).toContain('  AGENT  admin T2\n');
});
