/** Setting up: a project's files, its secrets, its state, the shell's completion. */
import type { AddCommands } from '../frame/index.ts';
import { backupCommands } from './operate/backup.ts';
import { doctorCommand } from './operate/doctor.ts';
import { sandboxCommand } from './operate/sandbox.ts';
import { serveCommand } from './operate/serve.ts';
import { stateCommands } from './operate/state.ts';
import { completionCommand } from './project/completion.ts';
import { initCommand } from './project/init.ts';
import { schemaCommand } from './project/schema.ts';
import { leasesCommand } from './secrets/leases.ts';
import { secretCommands } from './secrets/secret.ts';
import { vaultCommands } from './secrets/vault.ts';

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
