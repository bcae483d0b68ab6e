/** A corpus of faulty files, one fault each where it can be, and what is said of them: `expected.txt` beside them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fsTools } from '../../../../adapters/tools/fs/index.ts';
import { formatFault } from '../../../../schemas/index.ts';
import { type Known, parsePipeline, projectTemplates } from '../../index.ts';

const folder = fileURLToPath(new URL('../../../../../test/vectors/pipelines/', import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const agents = { builder: 'active', admin: 'active', retiree: 'retired' };
const known = (file: string): Known => ({
  agents: new Map(Object.entries(agents).map(([name, status]) => [name, { status }])),
  tools: new Map(fsTools().map((tool) => [tool.name, tool])),
  operators: [
    { name: 'ada', roles: [] },
    { name: 'grace', roles: ['release'] },
    { name: 'hopper', roles: [] },
  ],
  definitionFault: (agent) =>
    agent === 'builder' ? undefined : `The agent "${agent}" has no definition: there is no agents/${agent}.yaml.`,
  templates: projectTemplates({ root: folder, hidden: [], cwd: folder }, file),
});

const said = (file: string): string[] => {
  const result = parsePipeline(readFileSync(join(folder, file), 'utf8'), file, known(file));
  return result.ok ? [] : result.faults.map(formatFault);
};

it('says of each file what was agreed, with its place', () => {
  const expected = join(folder, 'expected.txt');
  const all = files.sort().flatMap(said);
  // Write them anew with AGOV_WRITE_VECTORS=1, and read every changed line before it is kept.
  if (process.env['AGOV_WRITE_VECTORS'] === '1') writeFileSync(expected, `${all.join('\n')}\n`);
  expect(all.join('\n')).toBe(readFileSync(expected, 'utf8').trimEnd());
});

it('finds a fault in each of at least sixty', () => {
  expect(files.length).toBeGreaterThanOrEqual(60);
  expect(files.filter((file) => said(file).length === 0)).toEqual([]);
});
