export { type Cli, createCli, type GlobalOptions, printable, reportError } from './cli.ts';
export type { AddCommands, Define } from './define.ts';
export type { Io, SignalSource } from './io.ts';
export { refused } from './refused.ts';
