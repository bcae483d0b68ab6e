/** `git.push`: one branch, at the commit that was decided on, to one configured remote. Never by force. */
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AgovError } from '../../../kernel/index.ts';
import { defineTool } from '../define.ts';
import { failed, whyItFailed, withoutCredentials } from '../exec-result.ts';
import type { ToolContext, ToolExec, ToolResult } from '../port.ts';
import { branchFacts, branchSchema, remoteSchema } from './branches.ts';
import { gitNeed } from './command.ts';
import { openRepository, type Repository } from './repository.ts';

interface Push {
  readonly branch: string;
  readonly remote: string;
  readonly commit: string;
  /** May hold credentials. */
  readonly url: string;
}

export const gitPush = defineTool({
  name: 'git.push',
  summary: 'Pushes one branch to a remote.',
  needs: [gitNeed],
  args: z.strictObject({
    branch: branchSchema.describe('The branch to push, under its own name.'),
    remote: remoteSchema.default('origin').describe('Name of a configured remote.'),
  }),
  async prepare({ branch, remote }, context, exec) {
    const repository = await openRepository(context, exec);
    const commit = await repository.commitOf(exec, branch);
    if (!commit) throw missing(`There is no branch ${branch}.`, 'See "git branch".');
    const push: Push = { branch, remote, commit, url: await pushUrl(repository, exec, remote) };
    const url = withoutCredentials(push.url);
    return {
      intent: { action: 'repo.push', resource: branch, args: { branch, remote, commit, url } },
      facts: branchFacts(context, branch),
      perform: (run) => carryOut(repository, context, run, push),
    };
  },
});

async function carryOut(repository: Repository, context: ToolContext, exec: ToolExec, push: Push): Promise<ToolResult> {
  const { branch, remote, commit } = push;
  if ((await repository.commitOf(exec, branch)) !== commit) {
    return failed(`${branch} has moved since the push was decided on; nothing was pushed.`);
  }
  if ((await pushUrl(repository, exec, remote)) !== push.url) {
    return failed(`${remote} is another place than when the push was decided on; nothing was pushed.`);
  }
  const args = ['push', '--quiet', '--no-verify', '--no-follow-tags', '--', remote, `${commit}:refs/heads/${branch}`];
  const exit = await repository.change(exec, args, { readWrite: localFolder(push.url, context) });
  if (exit.code !== 0) return failed(`${remote} did not take ${branch}: ${whyItFailed(exit)}`, { branch, remote });
  return {
    status: 'ok',
    facts: { branch, remote, commit },
    text: `Pushed ${branch} (${commit.slice(0, 12)}) to ${remote}.`,
    artifacts: [],
  };
}

async function pushUrl(repository: Repository, exec: ToolExec, remote: string): Promise<string> {
  const exit = await repository.look(exec, ['remote', 'get-url', '--push', '--all', '--', remote]);
  if (exit.code !== 0) throw missing(`There is no remote ${remote}.`, 'See "git remote".');
  const urls = exit.stdout.trimEnd().split('\n');
  if (urls.length === 1 && urls[0]) return urls[0];
  throw new AgovError('INPUT_INVALID', {
    what: `The remote ${remote} has ${urls.length} places to push to.`,
    why: 'A push must be to one place.',
    fix: `Give it one: git remote set-url --push ${remote} <url>`,
  });
}

/** A remote on this machine must be seen to be pushed to. Which one it is stands in the operator's configuration. */
function localFolder(url: string, context: ToolContext): readonly string[] {
  const path = url.startsWith('file://') ? fileURLToPath(url) : url;
  return isAbsolute(path) && path !== context.projectRoot ? [path] : [];
}

function missing(what: string, fix: string): AgovError {
  return new AgovError('NOT_FOUND', { what, fix });
}
