/** The line of a part that holds most of what was searched for, cut to what a terminal shows. */
const longest = 200;

/** `line` from 0, inside the part. */
export function snippetOf(text: string, terms: readonly string[]): { readonly line: number; readonly snippet: string } {
  const words = terms.flatMap((term) => fold(term).match(/[\p{L}\p{N}]+/gu) ?? []);
  let best = { line: 0, snippet: '', found: -1, at: 0 };
  for (const [line, raw] of text.split('\n').entries()) {
    const folded = fold(raw);
    const places = words.map((word) => folded.indexOf(word)).filter((at) => at !== -1);
    const found = new Set(places).size;
    if (found > best.found && (raw.trim() !== '' || best.found < 0))
      best = { line, snippet: raw, found, at: Math.max(0, Math.min(...places, raw.length)) };
  }
  const { line, snippet, at } = best;
  const short = snippet.replace(/\s+/g, ' ').trim();
  if (short.length <= longest) return { line, snippet: short };
  const from = Math.max(0, Math.min(at - 40, snippet.length - longest));
  const end = from + longest;
  return {
    line,
    snippet: `${from > 0 ? '…' : ''}${snippet.slice(from, end).trim()}${end < snippet.length ? '…' : ''}`,
  };
}

function fold(text: string): string {
  return text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
}
