/** What is wrong with templates and their use, told in the file where the fault lies. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  pipeline,
  type TemplateFolder,
  template,
  templateFolder,
  using,
} from '../../../../../test/support/pipeline/templates.ts';
import { formatFault } from '../../../../schemas/index.ts';
import { checkTemplates } from '../index.ts';

let folder: TemplateFolder;
beforeEach(() => {
  folder = templateFolder();
});
afterEach(() => folder[Symbol.dispose]());

const write = (path: string, text: string): void => folder.write(path, text);
const told = (text: string): string[] => folder.told(text);

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
    const check = (text: string) => checkTemplates(text, 't.yaml', folder.known('t.yaml'));
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
