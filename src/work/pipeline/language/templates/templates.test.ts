/** Templates: what they stand for, what they see, and what is kept of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  pipeline,
  type TemplateFolder,
  template,
  templateFolder,
} from '../../../../../test/support/pipeline/templates.ts';
import { keptText, mustParse, parseKept } from '../index.ts';

let folder: TemplateFolder;
beforeEach(() => {
  folder = templateFolder();
});
afterEach(() => folder[Symbol.dispose]());

const write = (path: string, text: string): void => folder.write(path, text);
const parsed = (text: string) => mustParse(text, 'p.yaml', folder.known());

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
    expect(parseKept(kept, 'p.yaml', folder.known())).toEqual(before);
    expect(keptText(kept, before)).toBe(kept);
    const plain = pipeline('stages:\n  a: { agent: builder, run: [a] }');
    expect(keptText(plain, parsed(plain))).toBe(plain);
  });
});
