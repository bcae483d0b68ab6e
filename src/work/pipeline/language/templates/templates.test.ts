/** Templates: what they stand for, what they see, and what is refused, told in the file where the fault lies. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fsTools } from '../../../../adapters/tools/fs/index.ts';
import { formatFault } from '../../../../schemas/index.ts';
import { checkTemplates, type Known, keptText, mustParse, parseKept, parsePipeline } from '../index.ts';
import { projectTemplates } from './index.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'agov-templates-'));
});
beforeEach(() => {
  rmSync(root, { recursive: true });
  mkdirSync(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const template = (name: string, body: string): string =>
  `apiVersion: agov/v1\nkind: Template\nname: ${name}\n${body}\n`;
const pipeline = (body: string): string => `apiVersion: agov/v1\nkind: Pipeline\nname: test\n${body}`;
const known = (file = 'p.yaml'): Known => ({
  agents: new Map(['builder', 'admin'].map((name) => [name, { status: 'active' }])),
  tools: new Map(fsTools().map((tool) => [tool.name, tool])),
  templates: projectTemplates({ root, hidden: [join(root, '.agov')], cwd: root }, file),
});
const told = (text: string, file = 'p.yaml'): string[] => {
  const result = parsePipeline(text, file, known(file));
  return result.ok ? [] : result.faults.map(formatFault);
};
const parsed = (text: string) => mustParse(text, 'p.yaml', known());
const simple = template(
  'two',
  `parameters:
  who: {}
  text: { default: hello }
stages:
  one:
    agent: "\${{ params.who }}"
    run: [echo, "\${{ params.text }}"]
    outputs: { said: result.stdout }
  other:
    agent: builder
    needs: [one]
    run: [echo, "\${{ stages.one.outputs.said }}"]
  aside: { agent: builder, run: [echo] }
outputs:
  said: stages.one.outputs.said`,
);

describe('a stage that uses a template', () => {
  it('stands for its stages, which wait for what it needs, and what needs it waits for the last of them', () => {
    write('t.yaml', simple);
    const { stages, expansion } = parsed(
      pipeline(`stages:
  first: { agent: builder, run: [echo], outputs: { x: result.stdout } }
  both:
    needs: [first]
    when: stages.first.outputs.x != ""
    uses: ./t.yaml#two
    with: { who: admin, text: "\${{ stages.first.outputs.x }}" }
  last: { agent: builder, needs: [both], run: [echo, "\${{ stages.both.outputs.said }}"] }`),
    );
    const needs = Object.entries(stages).map(([name, stage]) => [name, stage.agent, stage.needs]);
    expect(needs).toEqual([
      ['first', 'builder', []],
      ['both.one', 'admin', ['first']],
      ['both.other', 'builder', ['both.one']],
      ['both.aside', 'builder', ['first']],
      ['last', 'builder', ['both.other', 'both.aside']],
    ]);
    expect(Object.keys(expansion?.files ?? {})).toEqual(['t.yaml']);
  });

  it('may stand inside a template, in another folder, from where its own paths start', () => {
    write('parts/outer.yaml', template('outer', 'stages:\n  in: { uses: ../deep/inner.yaml#inner, with: { n: 3 } }'));
    write(
      'deep/inner.yaml',
      template('other', 'stages:\n  s: { agent: builder, run: [a] }') +
        `---\n${template('inner', 'parameters: { n: { type: int } }\nstages:\n  s: { agent: builder, run: [echo, "${{ params.n }}"] }')}`,
    );
    const { stages } = parsed(pipeline('stages:\n  out: { uses: ./parts/outer.yaml#outer }'));
    expect(Object.keys(stages)).toEqual(['out.in.s']);
  });

  it('takes who acts, where, for how long and what from its parameters, through several levels', () => {
    const inner = `parameters: { who: {}, at: { default: web }, most: { default: 5m }, does: { type: list } }
stages:
  s: { agent: "\${{ params.who }}", workspace: "parts/\${{ params.at }}", timeout: "\${{ params.most }}", run: "\${{ params.does }}" }`;
    const outer = `parameters: { who: {} }
stages:
  in: { uses: "./t.yaml#inner", with: { who: "\${{ params.who }}", does: [npm, test] } }`;
    write('t.yaml', `${template('inner', inner)}---\n${template('outer', outer)}`);
    const { stages } = parsed(pipeline('stages:\n  out: { uses: ./t.yaml#outer, with: { who: admin } }'));
    expect(stages['out.in.s']).toMatchObject({
      agent: 'admin',
      workspace: 'parts/web',
      timeout: '5m',
      run: ['npm', 'test'],
    });
  });

  it('keeps every text, so that a run goes on with what it began with', () => {
    write('t.yaml', simple);
    const text = pipeline('stages:\n  both: { uses: ./t.yaml#two, with: { who: admin } }');
    const before = parsed(text);
    const kept = keptText(text, before);
    write('t.yaml', 'changed: beyond recognition');
    expect(parseKept(kept, 'p.yaml', known())).toEqual(before);
    expect(keptText(kept, before)).toBe(kept);
    const plain = pipeline('stages:\n  a: { agent: builder, run: [a] }');
    expect(keptText(plain, parsed(plain))).toBe(plain);
  });
});

/** One stage, on line 5, that uses a template of `t.yaml`. */
const using = (stage: string): string => pipeline(`stages:\n  it: ${stage}\n`);

describe('a fault is told where it lies', () => {
  it.each([
    [
      'a template that is not there',
      '{ uses: ./t.yaml#tow, with: { who: admin } }',
      ['p.yaml:5:15 t.yaml has no template "tow". Did you mean "two"?'],
    ],
    ['a file that is not there', '{ uses: ./u.yaml#two }', ['p.yaml:5:15 There is no file u.yaml in the project.']],
    [
      'a shipped one that is not there',
      '{ uses: agov:plan-aply }',
      ['p.yaml:5:15 agov has no template "plan-aply". Did you mean "agov:plan-apply"?'],
    ],
    [
      'a file without the name',
      '{ uses: ./t.yaml }',
      [expect.stringContaining('p.yaml:5:15 A template is written as agov:name or ./file.yaml#name')],
    ],
    [
      'an unknown parameter',
      '{ uses: ./t.yaml#two, with: { who: admin, txt: x } }',
      ['p.yaml:5:54 The template ./t.yaml#two has no parameter "txt". Did you mean "text"?'],
    ],
    ['a missing parameter', '{ uses: ./t.yaml#two }', ['p.yaml:5:3 The template ./t.yaml#two needs "who".']],
    [
      'a value of another type',
      '{ uses: ./t.yaml#two, with: { who: admin, text: 3 } }',
      [expect.stringMatching(/^p.yaml:5:55 "text" must be a text/)],
    ],
    [
      'an expression of another type',
      '{ uses: ./t.yaml#two, with: { who: admin, text: "${{ 1 + 2 }}" } }',
      ['p.yaml:5:55 The expression gives "int", and the parameter is of type "string".'],
    ],
    [
      'an expression that cannot be read',
      '{ uses: ./t.yaml#two, with: { who: admin, text: "${{ stages.x.status }}" } }',
      [expect.stringContaining('p.yaml:5:55 The expression reads "x"')],
    ],
    [
      'an agent that nobody has added',
      '{ uses: ./t.yaml#two, with: { who: admni } }',
      [expect.stringMatching(/^p.yaml:5:42 There is no agent "admni".*"admin"/)],
    ],
    [
      'a name that no agent has',
      '{ uses: ./t.yaml#two, with: { who: A B } }',
      [expect.stringContaining('p.yaml:5:42 "agent": use 1 to 64')],
    ],
    [
      'an agent that an output would choose',
      '{ uses: ./t.yaml#two, with: { who: "${{ run.id }}" } }',
      ['p.yaml:5:42 "who" must be known before the run: write a value, and no expression.'],
    ],
    [
      'a condition that is none',
      '{ uses: ./t.yaml#two, when: "1", with: { who: admin } }',
      [expect.stringContaining('p.yaml:5:35 The expression gives an int, and a bool is needed here.')],
    ],
    [
      'keys without a meaning there',
      '{ uses: ./t.yaml#two, agent: admin, foreach: "[1]", with: { who: admin } }',
      [
        expect.stringContaining('p.yaml:5:36 "agent" cannot stand where a template is used.'),
        expect.stringContaining('p.yaml:5:52 "foreach" cannot stand'),
      ],
    ],
  ])('%s', (_what, stage, expected) => {
    write('t.yaml', simple);
    expect(told(using(stage))).toEqual(expected);
  });

  it.each([
    [
      'a key of the file',
      'stages: {}\nstagez: {}',
      [expect.any(String), expect.stringContaining('t.yaml:5:1 The key "stagez"')],
    ],
    [
      'an expression that reads what is outside',
      'stages: { s: { agent: builder, run: [echo, "${{ params.own }}"] } }',
      ['t.yaml:4:44 A template sees nothing of who uses it: hand "own" over under "with".'],
    ],
    [
      'an output that is not there',
      'stages: { s: { agent: builder, run: [a] } }\noutputs: { x: stages.s.outputs.y }',
      [expect.stringContaining('t.yaml:5:15 The expression reads "y"')],
    ],
    [
      'a tool that is not there',
      'stages: { s: { agent: builder, uses: fs.raed } }',
      ['t.yaml:4:38 There is no tool "fs.raed". Did you mean "fs.read"?'],
    ],
    [
      'stages in a circle',
      'stages: { a: { agent: builder, run: [a], needs: [b] }, b: { agent: builder, run: [a], needs: [a] } }',
      ['t.yaml:4:42 The stages need each other: a → b → a.'],
    ],
    [
      'a default that does not fit',
      'parameters: { n: { type: int, default: x } }\nstages: { s: { agent: builder, run: [a] } }',
      [expect.stringContaining('t.yaml:4:40 The default of "n"')],
    ],
    [
      'final stages',
      'stages: { s: { agent: builder, run: [a] } }\nfinally: {}',
      [expect.stringContaining('t.yaml:5:1 The key "finally" is not known here.')],
    ],
    [
      'an agent that is a default',
      'parameters: { who: { default: nobody } }\nstages: { s: { agent: "${{ params.who }}", run: [a] } }',
      [expect.stringContaining('t.yaml:4:31 There is no agent "nobody"')],
    ],
  ])('in the template: %s, once however often it is used', (_what, body, expected) => {
    write('t.yaml', template('two', body));
    const text = pipeline(
      'parameters: { own: { default: x } }\nstages:\n  a: { uses: ./t.yaml#two }\n  b: { uses: ./t.yaml#two }\n',
    );
    const faults = told(text).filter((fault) => fault.startsWith('t.yaml'));
    expect(faults).toEqual(expected);
  });

  it('and what reads an output that cannot be had is not told besides', () => {
    const text = pipeline(
      'stages:\n  a: { uses: ./none.yaml#x }\n  b: { agent: builder, needs: [a], run: [echo, "${{ stages.a.outputs.y }}"] }\n',
    );
    expect(told(text)).toEqual(['p.yaml:5:14 There is no file none.yaml in the project.']);
  });

  it('also where the pipeline has an agent by parameter, which nobody could look at before the run', () => {
    write('t.yaml', simple);
    const text = 'parameters: { who: {} }\nstages:\n  a: { uses: ./t.yaml#two, with: { who: "${{ params.who }}" } }\n';
    expect(told(pipeline(text))).toEqual([expect.stringContaining('p.yaml:6:41 "who" is known at the run alone')]);
    expect(told(pipeline('stages:\n  a: { agent: "${{ params.who }}", run: [a] }\n'))).toEqual([
      expect.stringContaining('p.yaml:5:15 In a pipeline this is written out'),
    ]);
  });

  it('of a file of templates that nobody uses yet', () => {
    const check = (text: string) => checkTemplates(text, 't.yaml', known('t.yaml'));
    expect(check(simple)).toMatchObject({ ok: true, names: ['two'] });
    expect(check(`${simple}---\n${simple}`)).toMatchObject({ ok: false });
    const bad = check(
      template('one', 'parameters: { n: { type: int } }\nstages: { s: { agent: "${{ params.n }}", run: [a] } }'),
    );
    expect(bad.ok ? [] : bad.faults.map(formatFault)).toEqual([
      't.yaml:5:23 The parameter "n" must be of type "string" here.',
    ]);
  });
});

describe('what would get out, or never end, is refused', () => {
  const body = 'stages: { s: { agent: builder, run: [a] } }';

  it.each([
    ['out of the project', '../../etc/x.yaml#y', 'leads out of the project'],
    ['out by a detour', './a/../../../etc/x.yaml#y', 'leads out of the project'],
    ['an absolute path', '/etc/x.yaml#y', 'A template is written as'],
    ['the governor’s own folder', './.agov/x.yaml#y', 'is the governor’s own'],
    ['a link out', './link.yaml#y', 'leads out of the project'],
    ['a folder linked out', './out/x.yaml#y', 'leads out of the project'],
    ['a folder', './dir.yaml#y', 'not a regular file'],
    ['ten megabytes', './large.yaml#y', 'is over'],
    ['bytes that are no text', './bytes.yaml#y', 'cannot be read'],
  ])('%s', (_what, uses, message) => {
    write('.agov/x.yaml', template('y', body));
    const outside = mkdtempSync(join(tmpdir(), 'agov-outside-'));
    writeFileSync(join(outside, 'x.yaml'), template('y', body));
    symlinkSync(join(outside, 'x.yaml'), join(root, 'link.yaml'));
    symlinkSync(outside, join(root, 'out'));
    mkdirSync(join(root, 'dir.yaml'));
    write('large.yaml', `# ${'x'.repeat(10_485_760)}`);
    writeFileSync(join(root, 'bytes.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
    expect(told(using(`{ uses: "${uses}" }`)).join()).toContain(message);
    rmSync(outside, { recursive: true });
  });

  it('a link that stays inside is followed', () => {
    write('real/t.yaml', template('y', body));
    symlinkSync('real/t.yaml', join(root, 'link.yaml'));
    expect(told(using('{ uses: ./link.yaml#y }'))).toEqual([]);
  });

  it('templates that use each other, with the way round', () => {
    write('a.yaml', template('a', 'stages: { s: { uses: ./b.yaml#b } }'));
    write('b.yaml', template('b', 'stages: { s: { uses: ./a.yaml#a } }'));
    expect(told(using('{ uses: ./a.yaml#a }'))).toEqual([
      'b.yaml:4:22 The templates use each other: a.yaml#a → b.yaml#b → a.yaml#a.',
    ]);
  });

  it('more than eight deep, or a thousand stages', () => {
    const levels = Array.from({ length: 9 }, (_, i) =>
      template(`t${i}`, `stages: { s: { uses: ./t.yaml#t${i + 1} } }`),
    );
    write('t.yaml', [...levels, template('t9', body)].join('---\n'));
    expect(told(using('{ uses: ./t.yaml#t1 }')).join()).toContain('more than 8 deep');
    expect(told(using('{ uses: ./t.yaml#t2 }'))).toEqual([]);
    // Ten of ten of ten of ten: cut off, not counted out.
    const ten = (i: number) => Array.from({ length: 10 }, (_, n) => `  s${n}: { uses: ./t.yaml#t${i} }`).join('\n');
    const wide = [1, 2, 3, 4, 5, 6].map((i) => template(`t${i - 1}`, `stages:\n${ten(i)}`));
    write('t.yaml', [...wide, template('t6', body)].join('---\n'));
    expect(told(using('{ uses: ./t.yaml#t0 }'))).toEqual([expect.stringContaining('over 1000 stages')]);
  });

  it('a bomb of aliases, and anchors from one document in another', () => {
    const bomb = `x: &a [${'1,'.repeat(50)}]\n${Array.from({ length: 9 }, (_, i) => `y${i}: &${'bcdefghij'[i]} [${`*${'abcdefghi'[i]},`.repeat(9)}]`).join('\n')}`;
    write('t.yaml', template('y', `${body}\n${bomb}`));
    expect(told(using('{ uses: ./t.yaml#y }')).length).toBeGreaterThan(0);
    write(
      't.yaml',
      `${template('x', 'stages: { s: &s { agent: builder, run: [a] } }')}---\n${template('y', 'stages: { s: *s }')}`,
    );
    expect(told(using('{ uses: ./t.yaml#y }')).join()).toContain('names no anchor above it');
  });

  it('a value that would be code: a command is a value written out, or it is none', () => {
    write(
      't.yaml',
      template('y', 'parameters: { does: {} }\nstages: { s: { agent: builder, run: "${{ params.does }}" } }'),
    );
    expect(told(using('{ uses: ./t.yaml#y, with: { does: "${{ run.id }}" } }')).join()).toContain(
      'must be known before the run',
    );
    expect(told(using('{ uses: ./t.yaml#y, with: { does: "" } }')).join()).toContain('cannot be empty');
    write(
      't.yaml',
      template('y', 'parameters: { x: {} }\nstages: { s: { agent: builder, run: "echo ${{ params.x }}" } }'),
    );
    expect(told(using('{ uses: ./t.yaml#y, with: { x: a } }')).join()).toContain('could become code');
  });
});
