/** What editors say of files must be what agov says of them, as far as a JSON Schema can tell. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { repository } from './support/files.ts';
import { violations } from './support/json-schema.ts';

const schema = (name: string) =>
  JSON.parse(readFileSync(join(repository, `builtin/schemas/${name}.schema.json`), 'utf8'));
const text = (path: string): string => readFileSync(join(repository, path), 'utf8');
const corpus = 'test/vectors/pipelines';

it.each(['pipelines', 'templates'])('finds nothing wrong with what docs/guide/%s.md shows', (page) => {
  const blocks = [...text(`docs/guide/${page}.md`).matchAll(/^```yaml\n(apiVersion[\s\S]*?)^```/gm)].map(
    ([, one = '']) => one,
  );
  expect(blocks.length).toBeGreaterThan(1);
  for (const block of blocks) {
    const value = parse(block);
    expect(violations(schema(value.kind.toLowerCase()), value), block).toEqual([]);
  }
});

it.each(['examples/governed-change/pipeline.yaml', 'examples/shipped-agents/pipeline.yaml'])(
  'finds nothing wrong with %s',
  (path) => {
    expect(violations(schema('pipeline'), parse(text(path)))).toEqual([]);
  },
);

it('finds nothing wrong with the templates and the tiers that come with agov', () => {
  for (const file of readdirSync(join(repository, 'builtin/templates'))) {
    expect(violations(schema('template'), parse(text(`builtin/templates/${file}`))), file).toEqual([]);
  }
  for (const document of parseAllDocuments(text(`${corpus}/templates/parts.yaml`))) {
    expect(violations(schema('template'), document.toJS())).toEqual([]);
  }
  expect(violations(schema('tiers'), parse(text('builtin/tiers.yaml')))).toEqual([]);
});

it.each([
  ['wrong-kind.yaml', '.kind'],
  ['unknown-top-key.yaml', '.stagez'],
  ['unknown-stage-key.yaml', '.stages.a.neds'],
  ['no-agent.yaml', '.stages.a.agent'],
  ['neither-run-nor-uses.yaml', '.stages.a'],
  ['run-and-uses.yaml', '.stages.a'],
  ['run-is-a-number.yaml', '.stages.a.run'],
  ['stage-name-with-capitals.yaml', '.stages.Build'],
  ['stages-are-a-list.yaml', '.stages'],
  ['timeout-in-words.yaml', '.stages.a.timeout'],
  ['unknown-gate.yaml', '.stages.a.gate'],
  ['retry-once.yaml', '.stages.a.retry.attempts'],
  ['template-with-an-agent.yaml', '.stages.a.agent'],
  ['template-repeated.yaml', '.stages.a.foreach'],
])('marks %s where it is wrong', (file, path) => {
  expect(violations(schema('pipeline'), parse(text(`${corpus}/${file}`)))).toContain(path);
});

/** Faults that a shape cannot tell: of meaning, of places, of the project. They must not be marked for their shape. */
it.each(['unknown-agent.yaml', 'cycle-of-three.yaml', 'template-that-is-not-there.yaml', 'unknown-parameter.yaml'])(
  'leaves %s to "agov pipeline validate"',
  (file) => {
    expect(violations(schema('pipeline'), parse(text(`${corpus}/${file}`)))).toEqual([]);
  },
);

it('has a sentence for every key of a stage, so that completion helps', () => {
  const { stage } = schema('pipeline').$defs;
  const without = Object.entries<{ description?: string }>(stage.properties).filter(([, one]) => !one.description);
  expect(without.map(([key]) => key)).toEqual([]);
});
