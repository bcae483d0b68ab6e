import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AgovError, isAgovError } from '../../kernel/index.ts';
import { type Fault, formatFault, nearest, parseYaml, readYaml } from '../index.ts';

const schema = z.strictObject({
  name: z.string(),
  tier: z.enum(['T0', 'T1']).optional(),
  stages: z.array(z.strictObject({ agent: z.string(), tools: z.array(z.string()).default([]) })).optional(),
  limits: z.partialRecord(z.enum(['reads', 'writes']), z.int().min(0)).optional(),
  on: z.union([z.string(), z.strictObject({ path: z.string(), count: z.int() })]).optional(),
  step: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('run') }),
      z.strictObject({ kind: z.literal('wait') }),
    ])
    .optional(),
});

function faultsOf(text: string): Fault[] {
  const result = readYaml(schema, text, 'a.yaml');
  if (result.ok) throw new Error('expected faults');
  return result.faults;
}

function lines(text: string): string[] {
  return faultsOf(text).map(formatFault);
}

describe('parseYaml', () => {
  it('gives the value with defaults filled in', () => {
    expect(parseYaml(schema, 'name: x\nstages:\n  - agent: ann\n', 'a.yaml')).toEqual({
      name: 'x',
      stages: [{ agent: 'ann', tools: [] }],
    });
  });

  it('throws one error with all faults, under the code that the caller wants', () => {
    let thrown: unknown;
    try {
      parseYaml(schema, 'nme: x\ntier: T9\n', 'a.yaml', 'PIPELINE_INVALID');
    } catch (error) {
      thrown = error;
    }
    expect(isAgovError(thrown, 'PIPELINE_INVALID')).toBe(true);
    const error = thrown as AgovError;
    expect(error.what).toBe('a.yaml has 3 faults.');
    expect(error.why).toContain('a.yaml:1:1');
    expect(error.details?.['faults']).toHaveLength(3);
  });

  it('throws CONFIG_INVALID unless told otherwise', () => {
    expect(() => parseYaml(schema, 'name: [', 'a.yaml')).toThrow(AgovError);
    try {
      parseYaml(schema, '', 'a.yaml');
    } catch (error) {
      expect(isAgovError(error, 'CONFIG_INVALID')).toBe(true);
    }
  });
});

describe('the place of a fault', () => {
  it.each<[string, string, string[]]>([
    [
      'an unknown key, at the key',
      'nmae: x\nname: y',
      ['a.yaml:1:1 The key "nmae" is not known here. Did you mean "name"?'],
    ],
    [
      'an unknown key deep down',
      'name: x\nstages:\n  - agent: a\n    tolls: []',
      ['a.yaml:4:5 The key "tolls" is not known here. Did you mean "tools"?'],
    ],
    ['nothing like it, no guess', 'name: x\nzzzzzz: 1', ['a.yaml:2:1 The key "zzzzzz" is not known here.']],
    [
      'a wrong value, at the value',
      'name: x\ntier:  T7',
      ['a.yaml:2:8 "tier" must be one of T0, T1, not "T7". Did you mean "T0"?'],
    ],
    ['a wrong type', 'name: 12', ['a.yaml:1:7 "name" must be a text, not 12.']],
    ['what is missing, at what should hold it', 'name: x\nstages:\n  - tools: []', ['a.yaml:3:5 "agent" is missing.']],
    [
      'an unknown key of a record',
      'name: x\nlimits:\n  raeds: 1',
      ['a.yaml:3:3 The key "raeds" is not known here. Did you mean "reads"?'],
    ],
    ['out of bounds', 'name: x\nlimits: {reads: -1}', ['a.yaml:2:17 "reads" must be at least 0.']],
    [
      'the branch of a union that was meant',
      'name: x\non: {path: p, count: many}',
      ['a.yaml:2:22 "count" must be a number, not "many".'],
    ],
    ['no branch of a union', 'name: x\non: 3', ['a.yaml:2:5 "on" must be a text or a map of keys, not 3.']],
    [
      'a wrong discriminator',
      'name: x\nstep: {kind: rn}',
      ['a.yaml:2:14 "kind" must be one of run, wait, not "rn". Did you mean "run"?'],
    ],
    ['an empty file', '', ['a.yaml:1:1 The file must be a map of keys, not empty.']],
  ])('%s', (_, text, expected) => {
    expect(lines(text)).toEqual(expected);
  });

  it('is by the path of keys too', () => {
    expect(faultsOf('name: x\nstages: [{agent: a}, {agent: 1}]')[0]?.path).toBe('stages[1].agent');
  });

  it('can be asked for later, for faults of meaning', () => {
    const result = readYaml(schema, 'name: x\nstages:\n  - agent: ann\n', 'a.yaml');
    if (!result.ok) throw new Error('expected a value');
    expect(result.fault(['stages', 0, 'agent'], 'No agent is called ann.')).toEqual({
      file: 'a.yaml',
      line: 3,
      column: 12,
      path: 'stages[0].agent',
      message: 'No agent is called ann.',
    });
  });

  it('does not repeat a long text, which may be a secret', () => {
    expect(lines('name: x\ntier: hvs.CAESIJlongTokenThatSomebodyPasted')[0]).not.toContain('longToken');
  });
});

describe('text that must not be read', () => {
  const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(',')}]`);
  it.each<[string, string, RegExp]>([
    ['a key twice', 'name: x\ntier: T0\nname: y', /^a\.yaml:3:1 The key "name" is written twice\.$/],
    ['a tab as indentation', 'name: x\nlimits:\n\treads: 1', /^a\.yaml:3:1 Tabs are not allowed/],
    ['two documents', 'name: x\n---\nname: y', /^a\.yaml:2:1 A second document begins here/],
    ['a tag nobody knows', 'name: !js/function x', /^a\.yaml:1:7 Unresolved tag/],
    ['YAML 1.1, where yes is true', '%YAML 1.1\n---\nname: yes', /Only YAML 1\.2/],
    ['an alias bomb', `a0: &a0 [x,x]\n${levels.join('\n')}`, /far more than is written/],
    ['an alias into itself', 'name: x\nstages: &s\n  - *s', /^a\.yaml:3:5 The alias \*s stands inside/],
    ['an alias to nothing', 'name: *n', /^a\.yaml:1:7 The alias \*n names no anchor/],
    ['__proto__', '__proto__: {name: x}', /"__proto__" is not allowed/],
    ['a bottomless depth', `name: ${'['.repeat(300)}${']'.repeat(300)}`, /nested deeper than 64/],
    ['an unclosed quote', 'name: "x', /^a\.yaml:1:9 Missing closing/],
    ['a list as a key', '? [a]\n: b', /all keys must be strings/],
  ])('%s', (_, text, expected) => {
    expect(lines(text)[0]).toMatch(expected);
  });

  it('more than a mebibyte', () => {
    expect(lines(`name: ${'x'.repeat(1_048_576)}`)).toEqual(['a.yaml:1:1 The file is over 1048576 bytes.']);
  });
});

describe('nearest', () => {
  it('finds slips of the finger and nothing else', () => {
    const known = ['fs.read', 'fs.write', 'secret.read'];
    expect(nearest('fs.raed', known)).toBe('fs.read');
    expect(nearest('FS.WRITE', known)).toBe('fs.write');
    expect(nearest('banana', known)).toBeUndefined();
  });
});
