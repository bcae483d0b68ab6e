/** Setting up: a project's files, its secrets, its state, the shell's completion. */
import type { AddCommands } from '../frame/index.ts';
import { backupCommands } from './backup.ts';
import { completionCommand } from './completion.ts';
import { doctorCommand } from './doctor.ts';
import { initCommand } from './init.ts';
import { leasesCommand } from './leases.ts';
import { sandboxCommand } from './sandbox.ts';
import { schemaCommand } from './schema.ts';
import { secretCommands } from './secret.ts';
import { serveCommand } from './serve.ts';
import { stateCommands } from './state.ts';
import { vaultCommands } from './vault.ts';

export const setupCommands: AddCommands = (program, define) => {
  initCommand(program, define);
  doctorCommand(program, define);
  serveCommand(program, define);
  backupCommands(program, define);
  sandboxCommand(program, define);
  schemaCommand(program, define);
  secretCommands(program, define);
  leasesCommand(program, define);
  stateCommands(program, define);
  vaultCommands(program, define);
  completionCommand(program, define);
};
