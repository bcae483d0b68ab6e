/** Agents by their definitions: writing, checking and running them. */
import type { AddCommands } from '../../frame/index.ts';
import { checkCommand } from './check.ts';
import { defineCommand } from './define.ts';
import { runAgentCommand } from './run.ts';
import { shippedCommand } from './shipped.ts';

export { mustBeFree, shippedNamed, writeLike } from './shipped.ts';

export const definitionCommands: AddCommands = (agent, define) => {
  defineCommand(agent, define);
  checkCommand(agent, define);
  runAgentCommand(agent, define);
  shippedCommand(agent, define);
};
