/** What a patch of git adds, hunk by hunk, read as it comes, so that a long one needs no memory. */
/** Lines that were added one after the other. */
export interface Hunk {
  /** Empty where the patch is of no commit. */
  readonly commit: string;
  readonly file: string;
  /** Of the first line, in the file as the commit left it. */
  readonly line: number;
  readonly text: Buffer;
}

const mostHunk = 4 * 1024 * 1024;

export interface HunkReader {
  push(chunk: Buffer): void;
  end(): void;
  commits(): number;
}

/** A state machine over lines: within a hunk only its announced number of lines count, whatever they look like. */
export function hunks(take: (hunk: Hunk) => void): HunkReader {
  let rest: Buffer[] = [];
  let commit = '';
  let file = '';
  let commits = 0;
  let line = 0;
  let left = { removed: 0, added: 0 };
  let text: Buffer[] = [];
  let size = 0;

  const flush = (): void => {
    if (text.length > 0) take({ commit, file, line, text: Buffer.concat(text) });
    text = [];
    size = 0;
  };
  const within = (bytes: Buffer): boolean => {
    if (left.removed > 0 && bytes[0] === 45) left = { ...left, removed: left.removed - 1 };
    else if (left.added > 0 && bytes[0] === 43) {
      left = { ...left, added: left.added - 1 };
      size += bytes.length;
      if (size <= mostHunk) text.push(bytes.subarray(1));
    } else if (bytes[0] !== 92) return false; // "\ No newline at end of file"
    if (left.added === 0 && left.removed === 0) flush();
    return true;
  };
  const read = (bytes: Buffer): void => {
    if ((left.removed > 0 || left.added > 0) && within(bytes)) return;
    flush();
    left = { removed: 0, added: 0 };
    if (bytes[0] === 0) {
      commit = bytes.toString('latin1', 1).trim();
      commits += 1;
      return;
    }
    const words = bytes.toString('utf8').replace(/\n$/, '');
    if (words.startsWith('+++ ')) file = nameIn(words.slice(4));
    const head = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(words);
    if (!head) return;
    line = Number(head[2]);
    left = { removed: Number(head[1] ?? 1), added: Number(head[3] ?? 1) };
  };
  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        const piece = chunk.subarray(from, at + 1);
        read(rest.length === 0 ? piece : Buffer.concat([...rest, piece]));
        rest = [];
        from = at + 1;
      }
      // A copy, because the stream may use the chunk's memory again.
      if (from < chunk.length) rest.push(Buffer.from(chunk.subarray(from)));
    },
    end() {
      if (rest.length > 0) read(Buffer.concat(rest));
      flush();
    },
    commits: () => commits,
  };
}

/** Git quotes names with odd letters as C does; a name with a space has a tab behind it. */
function nameIn(written: string): string {
  const name = written.replace(/\t$/, '');
  if (!name.startsWith('"')) return name;
  try {
    return String(JSON.parse(name.replace(/\\([0-7]{3})/g, (_, octal: string) => `\\u00${hex(octal)}`)));
  } catch {
    return name; // as git wrote it, which people can read too
  }
}

function hex(octal: string): string {
  return Number.parseInt(octal, 8).toString(16).padStart(2, '0');
}
