/** What tools share about running programs: a missing program, a failed one, and the line of its output that says why. */
import { AgovError, isAgovError } from '../../kernel/index.ts';
import type { ToolCommand, ToolExec, ToolExit, ToolResult } from './port.ts';

const maxReason = 400;

/** Runs a command; a program that is not there is TOOL_MISSING with `fix` as what to do. */
export async function runProgram(exec: ToolExec, command: ToolCommand, fix: string): Promise<ToolExit> {
  try {
    return await exec(command);
  } catch (error) {
    if (!isAgovError(error, 'COMMAND_NOT_FOUND', 'COMMAND_NOT_EXECUTABLE')) throw error;
    throw new AgovError('TOOL_MISSING', {
      what: `${command.argv[0]} cannot be run in the sandbox.`,
      why: error.why ?? error.what,
      fix,
      cause: error,
    });
  }
}

/** The exit of a step that has no business failing. @throws TOOL_FAILED */
export function demand(exit: ToolExit, what: string, fix?: string): ToolExit {
  if (exit.code === 0) return exit;
  throw new AgovError('TOOL_FAILED', { what, why: whyItFailed(exit), ...(fix === undefined ? {} : { fix }) });
}

export function failed(reason: string, facts: ToolResult['facts'] = {}): ToolResult {
  return { status: 'failed', reason, facts, text: reason, artifacts: [] };
}

/** The line of a program's complaint that names the cause, without what an URL may hold before its host. */
export function whyItFailed(exit: ToolExit): string {
  const lines = exit.stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const line =
    lines.find((text) => /^(?:fatal|error|! )/i.test(text)) ?? lines[0] ?? `It ended with code ${exit.code}.`;
  return withoutCredentials(line).slice(0, maxReason);
}

/** `https://user:token@host/x` becomes `https://host/x`. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s/'"]*@/gi, '$1');
}
