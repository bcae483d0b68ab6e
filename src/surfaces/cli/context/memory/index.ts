/** `agov memory`: large content outside the context window. */
import type { AddCommands } from '../../frame/index.ts';
import { fetchCommand } from './fetch.ts';
import { findCommands } from './find.ts';
import { keepCommands } from './keep.ts';
import { logCommand } from './log.ts';

export const memoryCommands: AddCommands = (program, define) => {
  const memory = program
    .command('memory')
    .description('keep large content outside the context window, and find it again');
  logCommand(memory, define);
  fetchCommand(memory, define);
  findCommands(memory, define);
  keepCommands(memory, define);
};
