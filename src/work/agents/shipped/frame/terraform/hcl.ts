/**
 * The blocks at the top of a Terraform file, and the texts that stand directly in them. No more of the language is read:
 * which resources a configuration names needs no values.
 */
export interface Block {
  readonly type: string;
  readonly labels: readonly string[];
  /** Attributes of the block itself whose value is one text or one reference, as `source = "./x"`, `from = a.b`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Types and labels of the blocks right inside, as `backend "s3"`. */
  readonly inside: readonly string[];
}

type Token = { readonly kind: 'word' | 'text' | 'mark'; readonly value: string; readonly line: number };

/** What does not read as Terraform is passed over. */
export function blocksOf(source: string): readonly Block[] {
  const tokens = tokensOf(source);
  const blocks: Block[] = [];
  for (let at = 0; at < tokens.length; ) {
    const head = headAt(tokens, at);
    if (!head) {
      at += 1;
      continue;
    }
    const { next, attributes, inside } = bodyAt(tokens, head.body);
    blocks.push({ type: head.type, labels: head.labels, attributes, inside });
    at = next;
  }
  return blocks;
}

interface Head {
  readonly type: string;
  readonly labels: readonly string[];
  /** The token behind the opening brace. */
  readonly body: number;
}

function headAt(tokens: readonly Token[], at: number): Head | undefined {
  const first = tokens[at];
  if (first?.kind !== 'word') return undefined;
  const labels: string[] = [];
  let next = at + 1;
  for (; tokens[next]?.kind === 'text' || tokens[next]?.kind === 'word'; next++) labels.push(tokens[next]?.value ?? '');
  const opens = tokens[next]?.kind === 'mark' && tokens[next]?.value === '{';
  return opens ? { type: first.value, labels, body: next + 1 } : undefined;
}

function bodyAt(tokens: readonly Token[], from: number) {
  const attributes: Record<string, string> = {};
  const inside: string[] = [];
  let depth = 1;
  let at = from;
  for (; at < tokens.length && depth > 0; at++) {
    const token = tokens[at];
    if (token?.kind === 'mark') depth += '{[('.includes(token.value) ? 1 : '}])'.includes(token.value) ? -1 : 0;
    if (depth !== 1 || token?.kind !== 'word') continue;
    const value = valueAt(tokens, at);
    if (value !== undefined) attributes[token.value] ??= value;
    const head = startsLine(tokens, at) ? headAt(tokens, at) : undefined;
    if (head) inside.push([head.type, ...head.labels].join(' '));
  }
  return { attributes, inside, next: at };
}

/** The text or the reference behind `name =`. */
function valueAt(tokens: readonly Token[], at: number): string | undefined {
  const [equals, value] = [tokens[at + 1], tokens[at + 2]];
  const isEquals = equals?.kind === 'mark' && equals.value === '=';
  return isEquals && startsLine(tokens, at) && value && value.kind !== 'mark' ? value.value : undefined;
}

function startsLine(tokens: readonly Token[], at: number): boolean {
  return tokens[at - 1]?.line !== tokens[at]?.line || tokens[at - 1]?.value === '{';
}

const space = /[ \t\r\n]+/y;
const comment = /#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const heredoc = /<<-?([A-Za-z_][\w-]*)\r?\n[\s\S]*?\n[ \t]*\1(?![\w-])/y;
const word = /[A-Za-z_](?:[\w-]|\.(?=[A-Za-z_]))*/y;

function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const taken = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const passed = taken(space) ?? taken(comment) ?? taken(heredoc);
    const name = passed === undefined ? taken(word) : undefined;
    const text = passed === undefined && name === undefined && source[at] === '"' ? textAt(source, at) : undefined;
    const piece = passed ?? name ?? text ?? source[at] ?? '';
    if (name !== undefined) tokens.push({ kind: 'word', value: name, line });
    else if (text !== undefined) tokens.push({ kind: 'text', value: text.slice(1, -1), line });
    else if (passed === undefined) tokens.push({ kind: 'mark', value: piece, line });
    at += piece.length;
    for (const letter of piece) if (letter === '\n') line += 1;
  }
  return tokens;
}

/** With its quotes; a `${ … }` in it may hold quotes of its own. */
function textAt(source: string, from: number): string {
  let holes = 0;
  for (let at = from + 1; at < source.length; at++) {
    const letter = source[at];
    if (letter === '\\') at += 1;
    else if ((letter === '$' || letter === '%') && source[at + 1] === '{' && source[at - 1] !== letter) {
      holes += 1;
      at += 1;
    } else if (letter === '}' && holes > 0) holes -= 1;
    else if (letter === '"' && holes > 0) at += textAt(source, at).length - 1;
    else if (letter === '"' || (letter === '\n' && holes === 0)) return source.slice(from, at + 1);
  }
  return source.slice(from);
}
