/** What lies at a path, seen from inside the sandbox, so that a link swapped in meanwhile cannot lead outside. */
import { constants } from 'node:fs';
import { AgovError } from '../../../kernel/index.ts';
import { runProgram } from '../exec-result.ts';
import type { ToolCommand, ToolExec, ToolExit } from '../port.ts';

export interface Sight {
  readonly kind: 'file' | 'directory' | 'special' | 'missing';
  /** Bytes, for a file. */
  readonly size: number;
}

const kinds: ReadonlyMap<number, Sight['kind']> = new Map([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
]);

/** `follow`: links count for what they point to. */
export async function look(exec: ToolExec, path: string, follow: boolean): Promise<Sight> {
  const flags = follow ? ['-L'] : [];
  const exit = await runCore(exec, { argv: ['stat', ...flags, '-c', '%f %s', '--', path], access: 'read' });
  if (exit.code !== 0) {
    if (/No such file or directory|Not a directory/.test(exit.stderr)) return { kind: 'missing', size: 0 };
    throw new AgovError('TOOL_FAILED', { what: `${path} cannot be looked at.`, why: systemReason(exit) });
  }
  const [mode = '', size = ''] = exit.stdout.trim().split(' ');
  return { kind: kinds.get(Number.parseInt(mode, 16) & constants.S_IFMT) ?? 'special', size: Number(size) };
}

export function runCore(exec: ToolExec, command: ToolCommand): Promise<ToolExit> {
  return runProgram(exec, { ...command, env: { LC_ALL: 'C' } }, 'Install the GNU coreutils.');
}

/** The system's own words at the end of a coreutils complaint: `Read-only file system`. */
export function systemReason(exit: ToolExit): string {
  const line = exit.stderr.trim().split('\n').at(-1) ?? '';
  return /: ([A-Z][^:]*)$/.exec(line)?.[1] ?? (line || `It ended with code ${exit.code}`);
}
