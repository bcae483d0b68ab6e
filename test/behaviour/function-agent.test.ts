/** Agents that are functions: what they return is their answer, and they have no right but the agent's. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ fn: 'T1', watcher: 'T0' });
  mkdirSync(join(project.root, 'agents'));
});
afterAll(() => project[Symbol.dispose]());

const run = (code: string, ...more: string[]) => runAs('fn', 'T1', code, ...more);
function runAs(agent: string, tier: string, code: string, ...more: string[]) {
  const head = `apiVersion: agov/v1\nkind: Agent\nname: ${agent}\ntier: ${tier}\n`;
  writeFileSync(join(project.root, 'agents', `${agent}.yaml`), `${head}runs: { function: ./${agent}.ts }\n`);
  writeFileSync(join(project.root, 'agents', `${agent}.ts`), code);
  return project.agov('agent', 'run', agent, '--task', 'count', '--json', ...more);
}
const lastOutcome = async () => (await project.entries()).filter(({ kind }) => kind === 'outcome').at(-1);

describeWith('bwrap', 'a function agent', () => {
  it('gets its task, acts as the agent, and hands over what it returns', async () => {
    const done = await must(
      run(
        `import { connect, type Agent } from 'agent-governance/agent';
         interface Given { readonly task: string; readonly input: { n: number } }
         export default async (agent: Agent, { task, input }: Given) => {
           const written = await agent.act('fs.write', { path: 'out.txt', content: task });
           const me = await connect().whoami();
           return { verdict: written.verdict, n: input.n + 1, agent: me.agent };
         };`,
        '--input',
        '{"n": 1}',
      ),
    );
    expect(JSON.parse(done.stdout)).toMatchObject({ output: { verdict: 'allow', n: 2, agent: 'fn' } });
    expect(await lastOutcome()).toMatchObject({
      body: { status: 'ok' },
      artifacts: expect.arrayContaining([
        expect.objectContaining({ name: 'definition' }),
        expect.objectContaining({ name: 'function' }),
        expect.objectContaining({ name: 'output' }),
      ]),
    });
  });

  it.each([
    ['throws', `() => { throw new Error('no luck'); }`, 'no luck'],
    ['rejects', `async () => Promise.reject(new Error('no luck'))`, 'no luck'],
    ['leaves', '() => process.exit(0)', 'It ended without an answer.'],
    ['returns what is no JSON', '() => ({ n: 1n })', 'BigInt'],
    ['returns too much', `() => 'x'.repeat(2_000_000)`, 'The body is too large.'],
    ['is none', '"text"', 'exports no function by default'],
  ])('that %s has failed, with the reason on record', async (_what, code, reason) => {
    const done = await run(`export default ${code};`);
    expect(done.code).not.toBe(0);
    expect(await lastOutcome()).toMatchObject({ body: { status: 'failed', reason: expect.stringContaining(reason) } });
  });

  it('answers once', async () => {
    const done = await must(
      run(`export default async (agent) => {
        const codes = [];
        await agent.call('finish', { output: 'first' });
        await agent.call('finish', { output: 'second' }).catch(({ code }) => codes.push(code));
        process.exit(codes[0] === 'CONFLICT' ? 0 : 1);
      };`),
    );
    expect(JSON.parse(done.stdout)).toMatchObject({ output: 'first' });
  });

  it('cannot change itself, and is refused what its tier may not', async () => {
    const code = `import { writeFileSync } from 'node:fs';
      export default async (agent) => {
        const tried = [];
        for (const path of ['agents/watcher.ts', 'agents/other.yaml', 'agov.yaml', 'new.txt']) {
          try { writeFileSync(path, 'x'); tried.push(path); } catch {}
        }
        const { verdict } = await agent.act('fs.write', { path: 'new.txt', content: 'x' });
        return { tried, verdict };
      };`;
    const done = await must(runAs('watcher', 'T0', code));
    expect(JSON.parse(done.stdout)).toMatchObject({ output: { tried: [], verdict: 'deny' } });
    const builder = await must(run(code.replaceAll('watcher', 'fn')));
    expect(JSON.parse(builder.stdout)).toMatchObject({ output: { tried: ['new.txt'], verdict: 'allow' } });
  });
});
