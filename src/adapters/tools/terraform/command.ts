/** How every terraform is run, and the line of its output that names the cause. */
import { demand, runProgram, withoutCredentials } from '../exec-result.ts';
import type { ToolCommand, ToolExec, ToolExit, ToolNeed } from '../port.ts';

const environment: Readonly<Record<string, string>> = {
  TF_IN_AUTOMATION: '1',
  TF_INPUT: '0',
  CHECKPOINT_DISABLE: '1',
  // An empty one: the user's may hold tokens and point to provider binaries anywhere.
  TF_CLI_CONFIG_FILE: '/dev/null',
  // The folder names the environment. `.terraform/environment`, which agents can write, must not choose another state.
  TF_WORKSPACE: 'default',
};

export const terraformNeed: ToolNeed = {
  program: 'terraform',
  install: 'Install Terraform 1.5 or newer: https://developer.hashicorp.com/terraform/install',
  version: { least: '1.5', args: ['version'], env: environment, pattern: /^Terraform v(\d\S*)/ },
};

const maxReason = 400;

/** @throws TOOL_MISSING */
export function runTerraform(
  exec: ToolExec,
  dir: string,
  args: readonly string[],
  command: Omit<ToolCommand, 'argv' | 'env'>,
): Promise<ToolExit> {
  return runProgram(
    exec,
    { ...command, argv: ['terraform', `-chdir=${dir}`, ...args], env: environment },
    terraformNeed.install,
  );
}

/** @throws TOOL_MISSING, TOOL_FAILED */
export async function terraformVersion(exec: ToolExec, dir: string): Promise<string> {
  const exit = demand(
    await runTerraform(exec, dir, ['version'], { access: 'read' }),
    'Terraform does not say its version.',
  );
  return /^Terraform v(\S+)/.exec(exit.stdout)?.[1] ?? 'unknown';
}

/** Terraform's first error: its title, and the sentences below it where they are short. */
export function firstError(exit: ToolExit): string {
  const lines = `${exit.stderr}\n${exit.stdout}`.split('\n').map((line) => line.replace(/^[╷│╵\s]+/, '').trimEnd());
  const title = lines.find((line) => line.startsWith('Error: ')) ?? lines.find((line) => line !== '');
  const text = title?.replace(/^Error: /, '') ?? `It ended with code ${exit.code}`;
  return withoutCredentials(text.endsWith('.') ? text : `${text}.`).slice(0, maxReason);
}
