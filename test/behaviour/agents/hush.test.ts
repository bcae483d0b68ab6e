/** A secret that an agent was leased stays out of the record, also where the agent itself would carry it there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { must } from '../../support/cli.ts';
import { describeWith } from '../../support/needs.ts';
import { type TeamProject, teamProject } from '../../support/team-project.ts';

const secret = 'hush-hush-very-secret';
let project: TeamProject;
beforeEach(async () => {
  project = await teamProject({ doer: 'T1' });
  await must(project.agovWith(secret, 'secret', 'set', 'dev/x'));
});
afterEach(() => project[Symbol.dispose]());

function filesWith(text: string): string[] {
  const all = readdirSync(join(project.root, '.agov'), { withFileTypes: true, recursive: true });
  const files = all.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return files.filter((path) => readFileSync(path).includes(text));
}

describeWith('bwrap', 'an agent with a secret', () => {
  it('neither keeps nor hands over nor asks for anything that holds it', async () => {
    project.define(
      'doer',
      'T1',
      `
      const token = process.env.TOKEN;
      await agent.call('keep', { name: 'kept.txt', content: 'kept ' + token });
      const said = {
        board: await tried(agent.board.set('x', { token })),
        exec: await tried(agent.exec(['echo', token])),
        message: await tried(agent.call('message.send', { to: 'doer', text: Buffer.from(token).toString('base64') })),
        claim: await tried(agent.call('whoami', { from: token })),
        free: await tried(agent.board.set('x', 'nothing')),
      };
      await agent.call('finish', { error: 'GET https://x/?token=' + token + ' failed', output: { said, [token]: token } });`,
      'secrets: { TOKEN: dev/x }\n',
    );
    const done = await project.agov('agent', 'run', 'doer', '--task', 'go', '--json');
    const { reason, output } = JSON.parse(done.stdout);
    expect(reason).toBe('GET https://x/?token=[redacted] failed');
    for (const one of ['board', 'exec', 'message', 'claim']) expect(output.said[one], one).toMatch(/^INPUT_INVALID: /);
    expect(output.said.free).toBe('allow');
    expect(output['[redacted]']).toBe('[redacted]');
    expect(filesWith('kept [redacted]')).toHaveLength(1);
    expect(filesWith(secret)).toEqual([]);
  });
});
