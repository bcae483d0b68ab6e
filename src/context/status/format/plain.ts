/**
 * The front matter that `agov` itself writes, read without the YAML library, which takes ten times as long: a hundred
 * thousand files are swept in seconds. It knows a small part of YAML in which nothing means two things, and says so where a
 * text is not of it. Whatever it reads the library reads to the same value.
 */
import { type Phase, phases } from '../../../schemas/index.ts';
import { everyLevel, type StatusValue, type Task } from './types.ts';

/** Begins with a letter and has nothing in it that YAML gives a meaning to. */
const text = '[A-Za-z](?:[A-Za-z0-9 _./,()-]*[A-Za-z0-9_./,()-])?';
const path = String.raw`(?:\.{1,2}/|/)?${text}`;
const time = String.raw`\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])(?:T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ)?`;

const phaseLine = new RegExp(`^phase: (${phases.join('|')})$`);
const ownerLine = new RegExp(`^owner: (${text})$`);
const updatedLine = new RegExp(`^updated: (${time})$`);
const trackLine = /^track: (true|false|\d|[1-5]\d)$/;
const listLine = /^(tasks|depends):$/;
const taskLine = new RegExp(`^(?:  )?- (?:(task): )?(${text})$`);
const doneLine = new RegExp(`^(?:  )?  done: (true|false|${time})$`);
const pathLine = new RegExp(`^(?:  )?- (${path})$`);
const means = /^(?:true|false|null)$/i;

/** Undefined where only the library can tell. */
export function readPlain(yaml: string): StatusValue | undefined {
  const seen = new Set<string>();
  const found: { -readonly [K in keyof StatusValue]?: StatusValue[K] } = {};
  const tasks: Task[] = [];
  const depends: string[] = [];
  let list: 'tasks' | 'depends' | undefined;
  let indent = '';
  let open: { text: string; mapped: boolean; told: boolean } | undefined;

  const lines = yaml.endsWith('\n') ? yaml.slice(0, -1).split('\n') : yaml.split('\n');
  for (const line of lines) {
    const item = list !== undefined && /^(?: {2})?- /.exec(line);
    if (item) {
      const here = line.startsWith('- ') ? '' : '  ';
      if ((list === 'tasks' ? tasks : depends).length === 0) indent = here;
      else if (indent !== here) return undefined;
      if (list === 'depends') {
        const [, to] = pathLine.exec(line) ?? [];
        if (to === undefined || means.test(to)) return undefined;
        depends.push(to);
        continue;
      }
      const [, key, what] = taskLine.exec(line) ?? [];
      if (what === undefined || means.test(what)) return undefined;
      open = { text: what, mapped: key !== undefined, told: false };
      tasks.push({ text: what, done: false });
      continue;
    }
    const done = list === 'tasks' && open?.mapped && !open.told && doneLine.exec(line);
    if (done && open && line.startsWith(`${indent}  done`)) {
      open.told = true;
      tasks[tasks.length - 1] = { text: open.text, done: done[1] !== 'false' };
      continue;
    }
    const key = line.slice(0, line.indexOf(':'));
    if (seen.has(key)) return undefined;
    seen.add(key);
    const [, name] = listLine.exec(line) ?? [];
    list = name === 'tasks' || name === 'depends' ? name : undefined;
    open = undefined;
    if (list === undefined && !takeScalar(line, found)) return undefined;
  }
  const { phase } = found;
  if (phase === undefined || tasks.length > 1000 || depends.length > 200) return undefined;
  return { ...found, phase, tasks, depends };
}

function takeScalar(line: string, into: { -readonly [K in keyof StatusValue]?: StatusValue[K] }): boolean {
  const phase = phaseLine.exec(line)?.[1];
  if (phase !== undefined) {
    into.phase = phase as Phase; // the pattern is made of them
    return true;
  }
  const updated = updatedLine.exec(line)?.[1];
  if (updated !== undefined) {
    into.updated = updated;
    return true;
  }
  const owner = ownerLine.exec(line)?.[1];
  if (owner !== undefined && owner.length <= 200 && !means.test(owner)) {
    into.owner = owner;
    return true;
  }
  const track = trackLine.exec(line)?.[1];
  if (track === undefined) return false;
  into.track = track === 'true' ? everyLevel : track === 'false' ? 0 : Number(track);
  return true;
}
