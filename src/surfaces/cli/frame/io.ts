/** What a command line is given by whoever starts it: streams, environment, signals. */
import type { Readable, Writable } from 'node:stream';

export interface SignalSource {
  /** Until disposed, signals go to this listener instead of ending the process. */
  listen(listener: (signal: NodeJS.Signals) => void): Disposable;
}

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly version: string;
  readonly signals: SignalSource;
}
