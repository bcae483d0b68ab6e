/**
 * What a run keeps of what it began with: the text of its pipeline, and where that uses templates, theirs beside it. A
 * resumed run goes on with exactly those, whatever the files say by now and whichever agov reads them.
 */
import { z } from 'zod';
import { AgovError } from '../../../../../kernel/index.ts';
import type { Pipeline } from '../../../../../schemas/index.ts';
import type { TemplateFiles } from './library.ts';

const keptSchema = z.strictObject({
  apiVersion: z.literal('agov/v1'),
  kind: z.literal('Source'),
  pipeline: z.string(),
  templates: z.record(z.string(), z.string()),
});

/** No text of a pipeline that can be parsed begins like that: its kind is another. */
const mark = '{"apiVersion":"agov/v1","kind":"Source",';

export interface KeptSource {
  readonly text: string;
  /** Empty where the pipeline uses none. */
  readonly templates: Readonly<Record<string, string>>;
}

/** What is kept of a pipeline of that text, which may itself be what another run has kept. */
export function keptText(text: string, { expansion }: Pipeline): string {
  if (!expansion || text.startsWith(mark)) return text;
  return JSON.stringify({ apiVersion: 'agov/v1', kind: 'Source', pipeline: text, templates: expansion.files });
}

/** @throws AgovError PIPELINE_INVALID where it is damaged, which no digest allows */
export function readKept(kept: string): KeptSource {
  if (!kept.startsWith(mark)) return { text: kept, templates: {} };
  const parsed = keptSchema.safeParse(parsedJson(kept));
  if (parsed.success) return { text: parsed.data.pipeline, templates: parsed.data.templates };
  throw new AgovError('PIPELINE_INVALID', { what: 'What the run has kept of its pipeline cannot be read.' });
}

/** The templates that were kept, for a pipeline whose file was `file`. */
export function keptTemplates({ templates }: KeptSource, file: string): TemplateFiles {
  return {
    from: file,
    shipped: () => [],
    read(path) {
      const text = Object.hasOwn(templates, path) ? templates[path] : undefined;
      return text === undefined ? { message: `The run has kept no ${path}.` } : { text, file: path };
    },
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told by the schema
  }
}
