/** A folder of pipelines and templates, and what is said of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fsTools } from '../../../src/adapters/tools/fs/index.ts';
import { formatFault } from '../../../src/schemas/index.ts';
import { type Known, parsePipeline, projectTemplates } from '../../../src/work/pipeline/index.ts';

export interface TemplateFolder extends Disposable {
  readonly root: string;
  write(path: string, text: string): void;
  known(file?: string): Known;
  /** The faults of a pipeline of that text, with their places. */
  told(text: string): string[];
}

export function templateFolder(): TemplateFolder {
  const root = mkdtempSync(join(tmpdir(), 'agov-templates-'));
  const known = (file = 'p.yaml'): Known => ({
    agents: new Map(['builder', 'admin'].map((name) => [name, { status: 'active' }])),
    tools: new Map(fsTools().map((tool) => [tool.name, tool])),
    templates: projectTemplates({ root, hidden: [join(root, '.agov')], cwd: root }, file),
  });
  return {
    root,
    known,
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    told(text) {
      const result = parsePipeline(text, 'p.yaml', known());
      return result.ok ? [] : result.faults.map(formatFault);
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

export const template = (name: string, body: string): string =>
  `apiVersion: agov/v1\nkind: Template\nname: ${name}\n${body}\n`;

export const pipeline = (body: string): string => `apiVersion: agov/v1\nkind: Pipeline\nname: test\n${body}`;

/** One stage, on line 5, that uses a template of `t.yaml`. */
export const using = (stage: string): string => pipeline(`stages:\n  it: ${stage}\n`);
