/**
 * What others wrote, as it goes into a brief: agents read it, and terminals show it. Names, titles and texts are told as
 * such; none of them can look like a part of the brief that is ours.
 */

/** What a terminal would obey, or would show in another order than it stands. */
const unseen = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** One line of somebody's text, bounded: a name or a title begins no line of its own, and so no heading that looks like ours. */
export function line(text: string, most = 300): string {
  const flat = text.replace(/\s+/g, ' ').replace(unseen, '�').trim();
  return flat.length <= most ? flat : `${flat.slice(0, most)}…`;
}

/** Lines of somebody's text as they are, but no heading among them. */
export function lines(text: string): string {
  return text
    .trim()
    .replace(/\r\n?/g, '\n')
    .replace(unseen, '�')
    .replace(/^(?=[^\S\n]*#)/gm, '\\');
}

/** Entries of an agent are told as that agent's, wherever they are told: what it wrote is its word. */
export function whose(space: string): string {
  return space === 'project' ? '' : ` by ${line(space, 80)}`;
}

/** The same of what stands on one line already and is indented as it was. */
export function plain(text: string): string {
  return text.replace(unseen, '�');
}
