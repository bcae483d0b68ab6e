/** How a group of commands hangs its own into the tree. */
import type { Command } from 'commander';
import type { Cli } from './cli.ts';

/** The number is the exit code; nothing is 0. */
type Work = (cli: Cli, args: readonly string[], options: Options) => Promise<number | undefined> | Promise<void>;

/** Commander's own; each command reads only the options that it declares. */
// biome-ignore lint/suspicious/noExplicitAny: option values are whatever the declaration beside them says
type Options = Record<string, any>;

export type Define = (command: Command, work: Work, examples?: readonly string[]) => Command;
export type AddCommands = (program: Command, define: Define) => void;
