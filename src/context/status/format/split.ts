/** A file cut into its front matter and the rest, byte for byte: what is put together again is what was cut. */

export interface Parts {
  /** Byte order mark and opening fence, as written. */
  readonly open: string;
  readonly yaml: string;
  /** The closing fence and the body, as written. */
  readonly rest: string;
  /** Index in `rest` where the body begins. */
  readonly bodyAt: number;
  readonly eol: '\n' | '\r\n';
}

export type Split =
  | ({ readonly kind: 'parts' } & Parts)
  /** It is all body. */
  | { readonly kind: 'none' }
  /** The front matter never ends. */
  | { readonly kind: 'unclosed' };

const opening = /^\uFEFF?---[ \t]*(\r?\n)/;
const closing = /^---[ \t]*(?:\r?\n|$)/m;

export function splitFile(text: string): Split {
  const open = opening.exec(text);
  if (!open) return { kind: 'none' };
  const inner = text.slice(open[0].length);
  const close = closing.exec(inner);
  if (!close) return { kind: 'unclosed' };
  return {
    kind: 'parts',
    open: open[0],
    yaml: inner.slice(0, close.index),
    rest: inner.slice(close.index),
    bodyAt: close[0].length,
    eol: open[1] === '\r\n' ? '\r\n' : '\n',
  };
}

export function joinFile({ open, yaml, rest }: Pick<Parts, 'open' | 'yaml' | 'rest'>): string {
  return open + yaml + rest;
}
