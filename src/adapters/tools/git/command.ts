/**
 * How every git is run: deaf to the configuration of user and machine, without hooks, editors, pagers, credential
 * helpers, monitors or background jobs.
 */
import { gitEnvironment } from '../../git-client/index.ts';
import { runProgram, withoutCredentials } from '../exec-result.ts';
import type { ToolCommand, ToolExec, ToolExit, ToolNeed } from '../port.ts';

const settings: Readonly<Record<string, string>> = {
  'core.editor': 'true',
  'core.attributesFile': '/dev/null',
  'core.quotePath': 'false',
  'commit.gpgSign': 'false',
  'push.gpgSign': 'false',
  'push.recurseSubmodules': 'no',
  'submodule.recurse': 'false',
  'credential.helper': '',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  // In a sandbox's user namespace owners say nothing; that agents cannot write `.git` is what makes it trustworthy.
  'safe.directory': '*',
  'safe.bareRepository': 'explicit',
};

const environment: Readonly<Record<string, string>> = {
  ...gitEnvironment(settings),
  GIT_ATTR_NOSYSTEM: '1',
  GIT_ASKPASS: 'true',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  // Whatever the configuration says about protocols: `ext::` runs any command.
  GIT_ALLOW_PROTOCOL: 'file:http:https:ssh',
};

export const gitNeed: ToolNeed = {
  program: 'git',
  install: 'Install git 2.38 or newer.',
  version: { least: '2.38', args: ['--version'], env: environment, pattern: /^git version (\d[\w.]*)/ },
};

/** Runs git, or a fixed shell script of several gits, under these rules. @throws TOOL_MISSING */
export async function runGit(exec: ToolExec, command: ToolCommand): Promise<ToolExit> {
  const exit = await runProgram(exec, { ...command, env: { ...environment, ...command.env } }, gitNeed.install);
  return { ...exit, stderr: withoutCredentials(exit.stderr) };
}

/** Who commits: the agent, and nobody of the machine's configuration. */
export function identity(agent: string): Readonly<Record<string, string>> {
  const email = `${agent}@agov.local`;
  return {
    GIT_AUTHOR_NAME: agent,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: agent,
    GIT_COMMITTER_EMAIL: email,
  };
}
