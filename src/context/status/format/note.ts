/** Notes stand in the body under `## Notes`, the newest last, each an item of a list: people read them where they write. */

interface Note {
  readonly text: string;
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
}

const heading = /^## Notes[ \t]*\r?$/m;

/** The body with the note in it, once. */
export function addNote(body: string, { text, by, at }: Note, eol: '\n' | '\r\n'): string {
  // Further lines are indented: a note cannot begin a heading, nor another one's note.
  const lines = text.trim().split(/\r\n|[\n\r\u2028\u2029]/);
  const item = `- ${at} ${by}: ${lines.join(`${eol}  `)}${eol}`;
  const found = heading.exec(body);
  if (!found) return `${closed(body, eol)}${body.trim() === '' ? '' : eol}## Notes${eol}${eol}${item}`;
  const from = found.index + found[0].length;
  const next = /^#{1,2} /m.exec(body.slice(from));
  const to = next ? from + next.index : body.length;
  const section = body.slice(0, to);
  if (section.slice(from).includes(item)) return body;
  // Put in between, so that every byte that was there is there still.
  const kept = section.trimEnd();
  const border = kept.length <= from ? eol + eol : eol;
  const after = section.slice(kept.length);
  const line = item.slice(0, -eol.length) + (after === '' ? eol : after);
  return kept + border + line + body.slice(to);
}

function closed(body: string, eol: string): string {
  return body === '' || body.endsWith('\n') ? body : body + eol;
}
