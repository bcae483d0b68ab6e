/** What goes with every walk over the whole project: a line of progress, and an end by a signal. */
import { AgovError, type Env } from '../../../../kernel/index.ts';
import type { Cli } from '../../frame/index.ts';
import { progressOf } from '../progress.ts';

export interface WhileLooking extends Disposable {
  readonly options: { readonly signal: AbortSignal; onProgress(directories: number): void };
}

export function looking(cli: Cli, env: Env): WhileLooking {
  const stop = new AbortController();
  const progress = progressOf(cli, env, 'looking', (count) => `${count} directories`);
  const listening = cli.io.signals.listen(() =>
    stop.abort(new AgovError('INPUT_INVALID', { what: 'Stopped before all was looked at.' })),
  );
  return {
    options: { signal: stop.signal, onProgress: (directories) => progress.show(directories, undefined) },
    [Symbol.dispose]() {
      progress[Symbol.dispose]();
      listening[Symbol.dispose]();
    },
  };
}
