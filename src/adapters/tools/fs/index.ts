/**
 * Files one at a time. Each effect is a small program in the agent's sandbox, never a call in the governor: between the
 * look and the act an agent may swap a folder for a link, and then only the sandbox stands between it and the rest.
 */
import type { Tool } from '../port.ts';
import { fsDelete } from './delete.ts';
import { fsRead } from './read.ts';
import { fsWrite } from './write.ts';

export function fsTools(): readonly Tool[] {
  return [fsRead, fsWrite, fsDelete];
}
