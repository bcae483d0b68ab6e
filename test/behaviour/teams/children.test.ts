/** Agents that start agents, in real sandboxes: what a child that wants out tries, and what is left when its lead is stopped. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Entry } from '../../../src/schemas/index.ts';
import { must } from '../../support/cli.ts';
import { describeWith } from '../../support/needs.ts';
import { type TeamProject, teamProject } from '../../support/team-project.ts';

let project: TeamProject;
beforeEach(async () => {
  project = await teamProject({ lead: 'T2' });
});
afterEach(() => project[Symbol.dispose]());

const run = async (task = 'go') =>
  JSON.parse((await must(project.agov('agent', 'run', 'lead', '--task', task, '--json'))).stdout).output;
const steps = (entries: readonly Entry[], name: string) =>
  entries.filter(({ kind, agent }) => kind === 'agent' && agent === name).map(({ body }) => body['step']);

describeWith('bwrap', 'an agent that another started', () => {
  it('works under a name that is derived, answers, and is over with its run', async () => {
    project.define('worker', 'T1', `return { me: await agent.whoami(), task: given.task, input: given.input };`);
    project.define(
      'lead',
      'T2',
      `
      const first = await agent.call('spawn', { definition: 'worker', task: 'count', input: { n: 1 }, minutes: 1 });
      const second = await agent.call('spawn', { definition: 'worker', role: 'helper', task: 'read', tier: 'T0' });
      const answers = [await ended(agent, first.child), await ended(agent, second.child)];
      return { answers, children: (await agent.call('children')).children };`,
    );
    const { answers, children } = await run();
    expect(answers).toMatchObject([
      {
        status: 'ok',
        end: 'finished',
        output: { me: { agent: 'lead.worker-1', tier: 'T1' }, task: 'count', input: { n: 1 } },
      },
      { status: 'ok', output: { me: { agent: 'lead.helper-1', tier: 'T0' } } },
    ]);
    expect(children).toMatchObject([
      { name: 'lead.worker-1', state: 'ended' },
      { name: 'lead.helper-1', state: 'ended' },
    ]);
    const entries = await project.entries();
    expect(steps(entries, 'lead.worker-1')).toEqual(['spawned', 'retired']);
    const spawned = entries.find(({ kind, agent }) => kind === 'agent' && agent === 'lead.worker-1');
    expect(spawned).toMatchObject({
      body: { tier: 'T1', operator: 'ada', user: 'agent lead', handed: { parent: 'lead', secrets: [] } },
    });
    const intent = entries.find(({ id }) => id === spawned?.parent);
    expect(intent).toMatchObject({ agent: 'lead', body: { action: 'agent.spawn', resource: 'lead.worker' } });
    expect(entries.find(({ kind, parent }) => kind === 'outcome' && parent === intent?.id)).toMatchObject({
      body: { status: 'ok', facts: { child: 'lead.worker-1' } },
    });
  });

  it('can neither start, spend, speak, read nor live beyond what it was handed, and each try is on record', async () => {
    await must(project.agovWith('hush', 'secret', 'set', 'dev/other'));
    await must(project.agovWith('hush', 'secret', 'set', 'dev/mine'));
    project.define(
      'worker',
      'T1',
      `
      const said = {};
      said.above = await tried(agent.call('spawn', { definition: 'lead', task: 'more' }));
      said.as = await tried(agent.call('message.send', { to: 'lead', text: 'x', from: 'lead' }));
      said.socket = await new Promise((done) => {
        const asked = request({ socketPath: given.input.socket, path: '/v1/whoami', method: 'POST' }, (answer) => {
          let text = '';
          answer.on('data', (piece) => (text += piece)).on('end', () => done(JSON.parse(text).agent));
        });
        asked.on('error', (error) => done(error.code));
        asked.end('{}');
      });
      said.secret = await tried(agent.exec(['true'], { secrets: { X: 'dev/other' } }));
      said.handed = await tried(agent.exec(['true'], { secrets: { X: 'dev/mine' } }));
      for (let i = 0; i < 20; i++) said.spent = await tried(agent.board.get('x'));
      return said;`,
    );
    project.define(
      'lead',
      'T2',
      `
      const first = await agent.call('spawn', { definition: 'worker', task: 'try', secrets: ['dev/mine'], budget: { actions: 12 }, input: { socket: process.env.AGOV_SOCKET } });
      const inbox = await agent.call('message.inbox', {});
      const long = await tried(agent.call('spawn', { definition: 'worker', task: 'try', minutes: 600 }));
      return { said: (await ended(agent, first.child)).output, long, inbox: inbox.messages };`,
    );
    const { said, long, inbox } = await run();
    expect(said.above).toMatch(/^deny: Nobody starts an agent above itself/);
    expect(said.as).toMatch(/^INPUT_INVALID: .*from/);
    // The path of a socket leads to one's own, whoever's it was told to be.
    expect(said.socket).toBe('lead.worker-1');
    expect(said.secret).toMatch(/DENIED: .*dev\/other/);
    expect(said.handed).toBe('allow');
    expect(said.spent).toMatch(/^deny: .*budget/i);
    expect(long).toMatch(/teams.lifetime/);
    expect(inbox).toEqual([]);
    const entries = await project.entries();
    const refused = entries.filter(
      ({ kind, body }) => kind === 'intent' && (body['decision'] as { verdict: string }).verdict === 'deny',
    );
    for (const action of ['agent.spawn', 'secret.read', 'state.read']) {
      expect(
        refused.some(({ agent, body }) => agent === 'lead.worker-1' && body['action'] === action),
        action,
      ).toBe(true);
    }
    expect(entries.filter(({ kind, agent }) => kind === 'violation' && agent === 'lead.worker-1')).toMatchObject([
      { body: { details: { key: 'from', value: 'lead' } } },
    ]);
  });

  it('ends with its lead, whose run is over before', async () => {
    project.define('worker', 'T1', `await new Promise((done) => setTimeout(done, 600_000));`);
    project.define('lead', 'T2', `return (await agent.call('spawn', { definition: 'worker', task: 'stay' })).child;`);
    const began = performance.now();
    expect(await run()).toBe('lead.worker-1');
    expect(performance.now() - began).toBeLessThan(20_000);
    const entries = await project.entries();
    expect(steps(entries, 'lead.worker-1')).toEqual(['spawned', 'retired']);
    expect(JSON.parse((await must(project.agov('agent', 'list', '--json'))).stdout)).toContainEqual(
      expect.objectContaining({ name: 'lead.worker-1', status: 'retired', parent: 'lead' }),
    );
  });

  it('talks with its lead, who knows it by the channel', async () => {
    project.define(
      'worker',
      'T1',
      `
      await agent.call('message.send', { to: 'lead', text: 'may I?' });
      const { messages } = await agent.call('message.inbox', { wait: 20000 });
      return messages[0].data;`,
    );
    project.define(
      'lead',
      'T2',
      `
      const { child } = await agent.call('spawn', { definition: 'worker', task: 'ask' });
      const { messages } = await agent.call('message.inbox', { wait: 20000 });
      await agent.call('message.send', { to: messages[0].from, data: { yes: messages[0].text } });
      return (await ended(agent, child)).output;`,
    );
    expect(await run()).toEqual({ yes: 'may I?' });
  });
});
