/** A line of a terminal, cut where the terminal ends: text first, colour afterwards, so that no escape is ever cut. */
import widthOf from 'fast-string-width';

export interface Piece {
  readonly text: string;
  readonly color?: (text: string) => string;
}

/** At most `width` columns. */
export function lineOf(pieces: readonly Piece[], width: number): string {
  let left = width;
  let line = '';
  for (const { text, color = (plain: string) => plain } of pieces) {
    if (left <= 0 || text === '') continue;
    const shown = clipped(text, left);
    left -= widthOf(shown);
    line += color(shown);
    if (shown !== text) break;
  }
  return line;
}

export function clipped(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (widthOf(cut) + widthOf(segment) > width - 1) break;
    cut += segment;
  }
  return width > 0 ? `${cut}…` : '';
}

export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** What must be read to its end, such as a command, over as many lines as it takes. Of ASCII alone. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (let rest = text; rest !== ''; rest = rest.slice(width)) lines.push(rest.slice(0, width));
  return lines;
}
