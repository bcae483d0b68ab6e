export { type Cli, type GlobalOptions, oneLine, printable, reportError } from './cli.ts';
export type { AddCommands, Define } from './define.ts';
export type { Io, SignalSource } from './io.ts';
export { refused } from './refused.ts';
export { rootCommand } from './root.ts';
