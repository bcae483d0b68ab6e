/** A log: how much of each level, from when to when, what went wrong, and the lines that are all the same but for numbers. */
import { within } from './code.ts';

const level = /\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|PANIC)\b/i;
const time = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?|\b\d\d:\d\d:\d\d\b/;
const wrong = /\b(?:error|fatal|critical|panic|exception|failed|failure|refused|denied|timed? ?out)\b/i;
const mostTemplates = 5000;

/** At most `most` words. */
export function logSummary(text: string, most: number): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const levels = new Map<string, number>();
  const templates = new Map<string, { count: number; first: string }>();
  const errors = new Map<string, { count: number; first: string }>();
  let begin: string | undefined;
  let end: string | undefined;
  for (const line of lines) {
    const at = time.exec(line)?.[0];
    if (at !== undefined) {
      begin ??= at;
      end = at;
    }
    const named = level.exec(line)?.[1]?.toUpperCase().replace('WARNING', 'WARN');
    if (named !== undefined) levels.set(named, (levels.get(named) ?? 0) + 1);
    const template = templateOf(line);
    count(templates, template, line);
    if (
      named === 'ERROR' ||
      named === 'FATAL' ||
      named === 'CRITICAL' ||
      named === 'PANIC' ||
      (named === undefined && wrong.test(line))
    )
      count(errors, template, line);
  }
  const span = begin === undefined ? '' : `, ${begin} to ${end}`;
  const told = [...levels].map(([name, many]) => `${name} ${many}`).join(', ');
  const out = [`${lines.length} lines${span}${told === '' ? '' : `: ${told}`}`];
  const byCount = (from: typeof templates) =>
    [...from].sort((a, b) => b[1].count - a[1].count || (a[0] < b[0] ? -1 : 1));
  for (const [, { count: many, first }] of byCount(errors).slice(0, 12))
    out.push(`${many > 1 ? `${many} × ` : ''}${first.trim().slice(0, 200)}`);
  for (const [template, { count: many }] of byCount(templates)
    .filter(([name, { count }]) => count > 1 && !errors.has(name))
    .slice(0, 12))
    out.push(`${many} × ${template.slice(0, 200)}`);
  const [first] = lines;
  const last = lines.at(-1);
  if (first !== undefined) out.push(`first: ${first.trim().slice(0, 200)}`);
  if (last !== undefined && lines.length > 1) out.push(`last: ${last.trim().slice(0, 200)}`);
  return within(out, most);
}

function count(into: Map<string, { count: number; first: string }>, key: string, line: string): void {
  const known = into.get(key);
  if (known) known.count += 1;
  else if (into.size < mostTemplates) into.set(key, { count: 1, first: line });
}

/** What stays of a line when all that is different each time is taken out. */
function templateOf(line: string): string {
  return line
    .replace(time, '')
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/gi, '*')
    .replace(/\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b/gi, '*')
    .replace(/\d+/g, '*')
    .replace(/\s+/g, ' ')
    .trim();
}
