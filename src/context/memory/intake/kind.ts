/** What content is, told from its beginning: it decides where the content may be cut and how it is summed up. */
export const kinds = ['text', 'markdown', 'code', 'log', 'table', 'json', 'binary'] as const;
export type Kind = (typeof kinds)[number];

/** Bytes that are looked at. */
export const headBytes = 16_384;

const byEnding: readonly (readonly [RegExp, Kind])[] = [
  [/\.(?:md|markdown|mdx)$/i, 'markdown'],
  [
    /\.(?:[cm]?[jt]sx?|py|go|rs|java|kt|c|h|cc|cpp|hpp|cs|rb|php|sh|bash|swift|scala|lua|sql|tf|hcl|css|diff|patch)$/i,
    'code',
  ],
  [/\.(?:log|out|err)$/i, 'log'],
  [/\.(?:csv|tsv)$/i, 'table'],
  [/\.jsonl?$/i, 'json'],
];

export function kindOf(head: Uint8Array, title: string): Kind {
  const bytes = head.subarray(0, headBytes);
  if (isBinary(bytes)) return 'binary';
  const named = byEnding.find(([ending]) => ending.test(title));
  if (named) return named[1];
  const lines = new TextDecoder().decode(bytes).split('\n').slice(0, 200);
  const full = lines.filter((line) => line.trim() !== '');
  const share = (test: (line: string) => boolean): number => full.filter(test).length / Math.max(1, full.length);
  if (full.length === 0) return 'text';
  if (share(startsRecord) >= 0.4) return 'log';
  if (/^\s*[[{]/.test(full[0] ?? '') && share((line) => /^\s*(?:[[{}\]"]|"?[\w.-]+"?\s*:)/.test(line)) > 0.8)
    return 'json';
  if (isTable(full)) return 'table';
  if (
    share((line) => /^(?:#{1,6} \S|```|\s*[-*] \S|\|.*\|$)/.test(line)) >= 0.1 &&
    lines.some((line) => /^#{1,6} \S/.test(line))
  )
    return 'markdown';
  if (share((line) => codeLine.test(line)) >= 0.3) return 'code';
  return 'text';
}

const codeLine =
  /[;{}]\s*$|^\s*(?:import|from|export|def|class|fn|func|function|const|let|var|return|if|for|while|public|private|package|use|#include|@@|[+-]{3} )\b|^\s*(?:\/\/|\/\*|\*)/;

/** Whether a line of a log begins a record; others go on with the one before. */
export function startsRecord(line: string): boolean {
  return /^(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ,]|\[?\d\d:\d\d:\d\d|[A-Z][a-z]{2}\s+\d{1,2} \d\d:|\d{10,13}[\s.,]|[([]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b|<\d{1,3}>|\d{1,3}(?:\.\d{1,3}){3} \S+ \S+ \[|\{"(?:ts|time|timestamp|level|at|@timestamp)")/i.test(
    line,
  );
}

/** A zero byte, or much that is no UTF-8. */
export function isBinary(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return true;
  // A character that the end cuts is none that is wrong.
  const wrong = new TextDecoder().decode(bytes.subarray(0, Math.max(0, bytes.length - 3))).split('\ufffd').length - 1;
  return wrong > bytes.length / 20;
}

function isTable(lines: readonly string[]): boolean {
  if (lines.length < 3) return false;
  const first = lines.slice(0, 20);
  return [',', '\t', ';', '|'].some((border) => {
    const columns = first.map((line) => line.replace(/"(?:[^"]|"")*"/g, '').split(border).length);
    return (columns[0] ?? 0) > 1 && columns.every((count) => count === columns[0]) && !/[.!?]$/.test(first[0] ?? '');
  });
}
