/** A corpus of faulty teams, and what is said of each: `expected.txt` beside them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { showFault } from '../../../schemas/index.ts';
import { checkTeam, readTeam, teamFile, teamNames } from './index.ts';

const root = fileURLToPath(new URL('../../../../test/vectors/teams', import.meta.url));
const known = { root, models: new Set<string>(), tools: new Map(), depth: 3 };
const expected = join(root, 'expected.txt');

const said = (name: string): string => {
  const file = teamFile(root, name);
  const result = checkTeam(readTeam(root, file), file, known);
  return result.ok ? 'ok' : result.faults.map((fault) => showFault(fault, result.text)).join('\n');
};

it('says of every faulty team what is wrong, and where', () => {
  const all = teamNames(root).map((name) => `# ${name}\n${said(name)}\n`);
  if (process.env['AGOV_WRITE_VECTORS']) writeFileSync(expected, all.join('\n'));
  expect(all.join('\n')).toBe(readFileSync(expected, 'utf8'));
  expect(readdirSync(join(root, 'teams')).length).toBeGreaterThan(30);
  expect(all.filter((text) => text.endsWith('\nok\n'))).toEqual(['# good\nok\n']);
});
