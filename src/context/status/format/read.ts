/** A `STATUS.md` read: its front matter against the schema, every fault with line and column of the file. */
import { parseDocument } from 'yaml';
import { type Fault, readYaml, statusSchema } from '../../../schemas/index.ts';
import { readPlain } from './plain.ts';
import { type Parts, splitFile } from './split.ts';
import { everyLevel, type StatusRead, type StatusValue } from './types.ts';

/** `text` may end early, as long as the front matter is in it whole. `file` is what faults name. */
export function readStatus(text: string, file: string): StatusRead {
  const parts = splitFile(text);
  if (parts.kind === 'none') {
    return faulty(
      file,
      1,
      text.trim() === '' ? 'The file is empty.' : 'The file has no front matter: begin it with a line "---".',
    );
  }
  if (parts.kind === 'unclosed') {
    return faulty(file, 1, 'The front matter that begins here has no line "---" at its end.');
  }
  const second = secondFrontMatter(parts);
  if (second !== undefined) return faulty(file, second, 'A second front matter begins here; a file has one.');
  const plain = readPlain(parts.yaml);
  if (plain) return { ok: true, value: plain };
  // The fence as an empty line, so that lines count as in the file.
  const result = readYaml(statusSchema, `\n${parts.yaml}`, file);
  if (!result.ok) return result;
  return { ok: true, value: statusOf(result.value) };
}

function statusOf(read: ReturnType<typeof statusSchema.parse>): StatusValue {
  const { phase, owner, updated, tasks, depends, track } = read;
  return {
    phase,
    ...(owner == null ? {} : { owner }),
    ...(updated == null ? {} : { updated }),
    tasks: (tasks ?? []).map((one) =>
      typeof one === 'string' ? { text: one, done: false } : { text: one.task, done: one.done !== false },
    ),
    depends: depends ?? [],
    ...(track == null ? {} : { track: track === true ? everyLevel : track === false ? 0 : track }),
  };
}

/** The line at which it begins. A rule across a page (`---`) alone is none. */
function secondFrontMatter({ yaml, rest, bodyAt, eol }: Parts): number | undefined {
  const body = rest.slice(bodyAt);
  const blank = /^\s*/.exec(body)?.[0] ?? '';
  const next = splitFile(body.slice(blank.lastIndexOf('\n') + 1));
  if (next.kind !== 'parts') return undefined;
  const known = /^(?:phase|owner|updated|tasks|depends|track)[ \t]*:/m;
  if (!known.test(next.yaml) || parseDocument(next.yaml, { logLevel: 'silent' }).errors.length > 0) return undefined;
  return 3 + yaml.split(eol).length - 1 + (blank.split('\n').length - 1);
}

function faulty(file: string, line: number, message: string): StatusRead {
  const fault: Fault = { file, line, column: 1, path: '', message };
  return { ok: false, faults: [fault] };
}

/** Milliseconds of `updated`: a day ends when it ends. */
export function timeOf(updated: string): number {
  return updated.length === 10 ? Date.parse(`${updated}T23:59:59.999Z`) : Date.parse(updated.replace(' ', 'T'));
}
