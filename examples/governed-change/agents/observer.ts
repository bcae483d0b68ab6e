/** A T0 observer: reads a repository and prints an inventory with findings. It needs no model and no network. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';

interface Finding {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

const skipped = new Set(['.git', '.agov', '.worktrees', 'node_modules', 'dist']);
const sources = new Set(['.ts', '.mjs', '.js', '.cjs']);
const endless = /for\s*\(\s*;\s*;\s*\)|while\s*\(\s*true\s*\)/;

const files = [...walk('.')].sort();
const kinds: Record<string, number> = {};
const findings: Finding[] = [];
let lines = 0;

for (const file of files) {
  const kind = extname(file) || 'other';
  kinds[kind] = (kinds[kind] ?? 0) + 1;
  if (!sources.has(kind)) continue;
  const text = readFileSync(file, 'utf8').split('\n');
  lines += text.length;
  if (!file.startsWith('examples/governed-change/service/')) continue;
  for (const [i, line] of text.entries()) {
    if (endless.test(line)) findings.push({ file, line: i + 1, what: 'retries without end' });
  }
}

process.stdout.write(`${JSON.stringify({ files: files.length, lines, kinds, findings })}\n`);
process.stderr.write(`${files.length} files, ${lines} lines of source, ${findings.length} finding\n`);
for (const { file, line, what } of findings) process.stderr.write(`${file}:${line} ${what}\n`);
process.stderr.write(`tried to write behind the governor's back: ${tryToWrite()}\n`);

function* walk(dir: string): Generator<string> {
  for (const name of readdirSync(dir)) {
    if (skipped.has(name)) continue;
    const path = join(dir, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) yield* walk(path);
    else if (stat?.isFile()) yield path;
  }
}

/** The tier says read-only. This shows what says no when an agent does not ask. */
function tryToWrite(): string {
  const path = 'INVENTORY.md';
  try {
    writeFileSync(path, 'An observer was here.\n', { flag: 'wx' });
  } catch (error) {
    return `refused (${error instanceof Error && 'code' in error ? error.code : 'error'})`;
  }
  rmSync(path);
  return 'nothing stopped it, because sandbox is none';
}
