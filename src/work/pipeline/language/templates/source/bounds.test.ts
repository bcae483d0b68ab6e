/** Templates that would lead out of the project, never end, or become code. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type TemplateFolder,
  template,
  templateFolder,
  using,
} from '../../../../../../test/support/pipeline/templates.ts';

let folder: TemplateFolder;
beforeEach(() => {
  folder = templateFolder();
});
afterEach(() => folder[Symbol.dispose]());

const write = (path: string, text: string): void => folder.write(path, text);
const told = (text: string): string[] => folder.told(text);

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
    symlinkSync(join(outside, 'x.yaml'), join(folder.root, 'link.yaml'));
    symlinkSync(outside, join(folder.root, 'out'));
    mkdirSync(join(folder.root, 'dir.yaml'));
    write('large.yaml', `# ${'x'.repeat(10_485_760)}`);
    writeFileSync(join(folder.root, 'bytes.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
    expect(told(using(`{ uses: "${uses}" }`)).join()).toContain(message);
    rmSync(outside, { recursive: true });
  });

  it('a link that stays inside is followed', () => {
    write('real/t.yaml', template('y', body));
    symlinkSync('real/t.yaml', join(folder.root, 'link.yaml'));
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
