/** What an agent or a person needs to find their feet again. */
import type { AddCommands } from '../frame/index.ts';
import { checkpointCommands } from './checkpoint/index.ts';
import { mcpCommands } from './mcp.ts';
import { memoryCommands } from './memory/index.ts';
import { statusCommands } from './status/index.ts';

export const contextCommands: AddCommands = (program, define) => {
  checkpointCommands(program, define);
  memoryCommands(program, define);
  statusCommands(program, define);
  mcpCommands(program, define);
};
