/** Draws over what it drew before, at one go, so that nothing flickers; the lines above stay as they are. */
import widthOf from 'fast-string-width';
import type { Io } from '../../frame/index.ts';

export interface Screen extends Disposable {
  draw(lines: readonly string[]): void;
}

const csi = '\u001b[';
/** Terminals that know it show nothing in between (synchronized output, DEC mode 2026); others ignore it. */
const [hold, release] = [`${csi}?2026h`, `${csi}?2026l`];
const [hideCursor, showCursor] = [`${csi}?25l`, `${csi}?25h`];
const [clearLine, clearBelow] = [`${csi}K`, `${csi}J`];

export function openScreen({ stdout }: Pick<Io, 'stdout'>): Screen {
  let drawn: readonly string[] = [];
  let open = true;
  stdout.write(hideCursor);
  return {
    draw(lines) {
      const columns = stdout.columns ?? 80;
      // A terminal that was made narrower has wrapped what was there.
      const up = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
      const back = up === 0 ? '' : `${csi}${up}A`;
      const text = lines.map((line) => `${line}${clearLine}\n`).join('');
      stdout.write(`${hold}\r${back}${text}${clearBelow}${release}`);
      drawn = lines;
    },
    [Symbol.dispose]() {
      if (open) stdout.write(showCursor);
      open = false;
    },
  };
}
