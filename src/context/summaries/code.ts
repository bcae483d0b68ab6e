/** What code offers: signatures, with the first sentence of what is said above them. */

const signature =
  /^(?:export |default |declare |async |public |protected |static |abstract |pub(?:\([a-z]+\))? |@\w+ )*(?:function\*?|class|interface|type|enum|struct|impl|trait|fn|func|def|module|resource|const|let|var|import)\b.*$/;
const member =
  /^(?: {2}| {4}|\t)(?:async |public |static |def |fn |func |readonly )?[\w$]+\s*(?:<[^>]*>)?\([^)]*\)\s*(?::[^{;]+)?[{:;]?\s*$/;

/** At most `most` words. */
export function codeSummary(text: string, most: number): string {
  const lines = text.split('\n');
  const out: string[] = [];
  let said: string[] = [];
  const top = /^(?:\/\*\*?|\/\/|#(?!include)|"""|--)/.test(lines[0] ?? '') ? firstSentence(lines) : undefined;
  if (top) out.push(top);
  const imports = new Set<string>();
  for (const line of lines) {
    const trimmed = line.trim();
    if (/^(?:\/\*\*?|\*|\/\/|#(?!include)|"""|--)/.test(trimmed)) {
      said.push(bare(trimmed));
      continue;
    }
    const [, source] = /^(?:import|from|use|#include|require)\b.*?["'<]?([\w@./:-]+)["'>]?;?$/.exec(trimmed) ?? [];
    if (source !== undefined) imports.add(source);
    else if (signature.test(line) || (member.test(line) && !/^\s*(?:if|for|while|switch|return|catch)\b/.test(line))) {
      const about = said.join(' ').split(/(?<=[.!?])\s/)[0] ?? '';
      out.push(
        `${line.replace(/\s*[{:]?\s*$/, '').slice(0, 160)}${about.trim() === '' || about === top ? '' : `  — ${about.trim().slice(0, 160)}`}`,
      );
    }
    said = [];
  }
  if (imports.size > 0) out.push(`uses ${[...imports].slice(0, 20).join(', ')}`);
  return within(out, most);
}

function firstSentence(lines: readonly string[]): string {
  const end = lines.findIndex(
    (line) => !/^\s*(?:\/\*\*?|\*|\/\/|#|"""|--|[A-Za-z])/.test(line) || /\*\/\s*$/.test(line),
  );
  const words = lines
    .slice(0, end === -1 ? 1 : end + 1)
    .map((line) => bare(line.trim()))
    .join(' ')
    .trim();
  return words.split(/(?<=[.!?])\s/)[0] ?? '';
}

function bare(line: string): string {
  return line
    .replace(/^(?:\/\*\*?|\*\/|\*|\/\/+|#+|"""|--)\s?/, '')
    .replace(/\*\/$/, '')
    .trim();
}

/** Letters of one line. */
const longest = 1000;

/** Lines while there is room; says how many there was none for. A line alone is cut where it has no room. */
export function within(lines: readonly string[], most: number): string {
  const out: string[] = [];
  let left = most;
  for (const full of lines) {
    const short = full.length > longest ? `${full.slice(0, longest).toWellFormed()}…` : full;
    const line = out.length === 0 ? short.split(' ').slice(0, most).join(' ') : short;
    const words = line.split(/\s+/).filter(Boolean).length;
    if (words > left && out.length > 0) break;
    out.push(line);
    left -= words;
  }
  const rest = lines.length - out.length;
  return rest > 0 ? `${out.join('\n')}\n… and ${rest} more` : out.join('\n');
}
