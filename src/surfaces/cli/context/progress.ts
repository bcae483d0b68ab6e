/** One line of the terminal for what takes longer than a second; nothing where nobody looks. */
import type { Env } from '../../../kernel/index.ts';
import type { Cli } from '../frame/index.ts';

export interface Progress extends Disposable {
  /** `total` undefined where nobody knows it. */
  show(done: number, total: number | undefined): void;
}

const quietMs = 1000;
const betweenMs = 100;
const barWidth = 24;

/** `tell` puts a number into words: bytes, parts. */
export function progressOf(cli: Cli, env: Env, what: string, tell: (count: number) => string): Progress {
  const { stderr } = cli.io;
  const on = stderr.isTTY === true && !cli.json;
  const begun = env.monotonic();
  let next = begun + quietMs;
  let shown = false;
  return {
    show(done, total) {
      const now = env.monotonic();
      if (!on || now < next) return;
      next = now + betweenMs;
      shown = true;
      const rate = `${tell(Math.round((done * 1000) / Math.max(1, now - begun)))}/s`;
      const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
      const bar =
        share === undefined
          ? ''
          : `${'█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '░')} ${Math.floor(share * 100)}%  `;
      const of = total === undefined ? tell(done) : `${tell(done)} of ${tell(total)}`;
      stderr.write(`\r\u001b[K${what}  ${bar}${of}  ${rate}`);
    },
    [Symbol.dispose]() {
      if (shown) stderr.write('\r\u001b[K');
    },
  };
}

export function bytesText(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = count / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}
