/** Words of others in a report: cut, on one line, and without what a terminal or Markdown would obey. */

/** For a line of Markdown or a terminal. */
export function plain(text: string, most = 200): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** As code in Markdown: no backtick of a file name ends it. */
export function code(text: string): string {
  return `\`${plain(text).replaceAll('`', 'ˋ').replaceAll('|', '¦')}\``;
}

export function count(n: number, noun: string): string {
  if (n === 1) return `1 ${noun}`;
  return `${n} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}${noun.endsWith('ch') ? 'es' : 's'}`}`;
}

export function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
