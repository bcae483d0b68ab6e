/** The whole tree of commands: for help, for what is misspelt, and for the pages made from it. */
import type { Command } from 'commander';
import { agentCommands } from './agents/index.ts';
import { contextCommands } from './context/index.ts';
import { type Io, rootCommand } from './frame/index.ts';
import { recordCommands } from './record/index.ts';
import { ruleCommands } from './rules/index.ts';
import { setupCommands } from './setup/index.ts';
import { workCommands } from './work/index.ts';

export function buildProgram(io: Io, setExit: (code: number) => void): Command {
  return rootCommand(io, setExit, [
    setupCommands,
    agentCommands,
    ruleCommands,
    recordCommands,
    workCommands,
    contextCommands,
  ]);
}
