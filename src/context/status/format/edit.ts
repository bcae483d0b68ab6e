/**
 * A change put into the text of a file, and nothing else touched: comments, the order of keys, keys of others, the body's
 * bytes. Doing it twice is doing it once, so that it can be done again on what somebody else wrote meanwhile.
 */
import { type Document, isMap, isScalar, isSeq, parseDocument, Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { AgovError } from '../../../kernel/index.ts';
import { faultsError, nearest, type Phase } from '../../../schemas/index.ts';
import { addNote } from './note.ts';
import { readStatus } from './read.ts';
import { joinFile, type Parts, splitFile } from './split.ts';

export interface Change {
  readonly phase?: Phase;
  readonly owner?: string;
  /** Tasks that are to be there. */
  readonly tasks?: readonly string[];
  /** Tasks that are to be done: as they are written, or as they alone begin. */
  readonly done?: readonly string[];
  readonly note?: { readonly text: string; readonly by: string; readonly at: string };
  /** RFC 3339. Never set back, but from where no clock could have been. */
  readonly updated?: string;
}

const dayMs = 86_400_000;

/** `name` is what the body of a new file is headed with, `file` what errors name. @throws STATUS_INVALID, NOT_FOUND */
export function applyChange(
  text: string,
  change: Change,
  about: { readonly name: string; readonly file: string },
): string {
  const whole = text.trim() === '' ? freshStatus(about.name) : withFrontMatter(text);
  const read = readStatus(whole, about.file);
  if (!read.ok) {
    throw faultsError('STATUS_INVALID', about.file, read.faults, 'Correct it by hand; until then it is left as it is.');
  }
  const parts = splitFile(whole);
  if (parts.kind !== 'parts') throw new AgovError('INTERNAL', { what: `${about.file} was read and cannot be cut.` });
  const yaml = changeYaml(parts, change, about.file);
  const body = parts.rest.slice(parts.bodyAt);
  const rest =
    change.note === undefined ? parts.rest : parts.rest.slice(0, parts.bodyAt) + addNote(body, change.note, parts.eol);
  const closed =
    change.note === undefined || /\n$/.test(parts.rest.slice(0, parts.bodyAt)) ? rest : closeLine(rest, parts);
  const made = joinFile({ open: parts.open, yaml, rest: closed });
  const again = readStatus(made, about.file);
  if (!again.ok) throw faultsError('INTERNAL', `What was to become of ${about.file}`, again.faults);
  return made;
}

/** A file that ends with its closing fence, and no line break after it. */
function closeLine(rest: string, { bodyAt, eol }: Parts): string {
  return rest.slice(0, bodyAt) + eol + rest.slice(bodyAt);
}

/** What a directory begins with. */
export function freshStatus(name: string): string {
  return `---\nphase: not-started\n---\n\n# ${name}\n`;
}

/** A file of words alone gets a front matter above them, with its own line ends. */
function withFrontMatter(text: string): string {
  if (splitFile(text).kind !== 'none') return text;
  const eol = /\r\n/.test(text) ? '\r\n' : '\n';
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  return `${mark}---${eol}phase: not-started${eol}---${eol}${text.slice(mark.length)}`;
}

function changeYaml({ yaml, eol }: Parts, change: Change, file: string): string {
  const document = parseDocument(yaml, { uniqueKeys: false, stringKeys: true });
  const before = document.toString(outputOf(yaml));
  if (change.phase !== undefined) setScalar(document, 'phase', change.phase);
  if (change.owner !== undefined) setScalar(document, 'owner', change.owner);
  for (const task of change.tasks ?? []) addTask(document, task);
  for (const task of change.done ?? []) finishTask(document, task, file);
  if (change.updated !== undefined) setUpdated(document, change.updated);
  const after = document.toString(outputOf(yaml));
  // What nobody changed stays as it was written, spaces too.
  return before === after ? yaml : after.replaceAll('\n', eol);
}

/** As the file is written already. */
function outputOf(yaml: string) {
  return { lineWidth: 0, indentSeq: !/:[ \t]*(?:#.*)?\r?\n(?:[ \t]*#.*\r?\n)*- /.test(yaml) } as const;
}

function setScalar(document: Document, key: string, value: string): void {
  const map = document.contents;
  const node = isMap(map) ? map.get(key, true) : undefined;
  if (isScalar(node)) node.value = value;
  else put(document, key, document.createNode(value));
}

/** The keys in the order in which people read them; others stay where they are. */
const order = ['phase', 'owner', 'updated', 'track', 'depends', 'tasks'];

function put(document: Document, key: string, value: unknown): void {
  const map = document.contents as YAMLMap; // the schema has said so
  if (map.has(key)) {
    document.set(key, value);
    return;
  }
  const before = order.slice(0, order.indexOf(key));
  const at = map.items.findLastIndex((pair) => before.includes(isScalar(pair.key) ? String(pair.key.value) : ''));
  map.items.splice(at + 1, 0, document.createPair(key, value));
}

function setUpdated(document: Document, updated: string): void {
  const old = document.get('updated');
  const was = typeof old === 'string' ? Date.parse(old.replace(' ', 'T')) : Number.NaN;
  const now = Date.parse(updated);
  // A clock that was set back says nothing about the work.
  if (was > now && was - now < dayMs) return;
  setScalar(document, 'updated', updated);
}

function tasksOf(document: Document): YAMLSeq | undefined {
  const map = document.contents as YAMLMap; // the schema has said so
  const node = map.get('tasks', true);
  if (isSeq(node)) return node;
  const resolved = document.toJS({ maxAliasCount: 100 }).tasks;
  return resolved == null ? undefined : (document.createNode(resolved) as YAMLSeq); // the schema has said so
}

function textOf(item: unknown): string {
  if (isMap(item)) return String(item.get('task')).trim();
  return isScalar(item) ? String(item.value).trim() : '';
}

function addTask(document: Document, task: string): void {
  const list = tasksOf(document);
  if (!list) put(document, 'tasks', document.createNode([task]));
  else if (!list.items.some((item) => textOf(item) === task)) list.add(document.createNode(task));
}

function finishTask(document: Document, task: string, file: string): void {
  const list = tasksOf(document);
  const items = list?.items ?? [];
  const at = indexOfTask(items.map(textOf), task);
  if (at === undefined || !list) {
    const known = items.map(textOf);
    const hint = nearest(task, known);
    throw new AgovError('NOT_FOUND', {
      what: `${file} has no task "${task.slice(0, 200)}".`,
      fix: hint !== undefined ? `Did you mean "${hint}"?` : `Add it with --task, or see: agov status show.`,
      details: { tasks: known.slice(0, 50) },
    });
  }
  const item = items[at];
  if (isMap(item)) {
    if (item.get('done') === undefined || item.get('done') === false) item.set('done', true);
    return;
  }
  const text = new Scalar(textOf(item));
  const pair = document.createNode({}) as YAMLMap; // of an object
  pair.set('task', text);
  pair.set('done', true);
  if (isScalar(item)) {
    if (item.type !== undefined) text.type = item.type;
    if (item.comment != null) text.comment = item.comment;
    if (item.commentBefore != null) pair.commentBefore = item.commentBefore;
    if (item.spaceBefore) pair.spaceBefore = true;
  }
  list.items[at] = pair;
}

function indexOfTask(known: readonly string[], wanted: string): number | undefined {
  const exact = known.indexOf(wanted);
  if (exact >= 0) return exact;
  const low = wanted.toLowerCase();
  const begins = known.flatMap((text, i) => (text.toLowerCase().startsWith(low) ? [i] : []));
  return begins.length === 1 ? begins[0] : undefined;
}
