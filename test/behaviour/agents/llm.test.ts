/** An agent that is a language model, against a scripted model on a real socket, with real tools in the real sandbox. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openApp } from '../../../src/app/index.ts';
import type { Entry } from '../../../src/schemas/index.ts';
import { operationNames } from '../../../src/work/agents/llm/index.ts';
import { must } from '../../support/cli.ts';
import { modelProject } from '../../support/model-project.ts';
import { events } from '../../support/model-server.ts';

const decisionOf = (entry: Entry): { verdict: string; reasons: string[] } => entry.body['decision'] as never;
const intents = (all: readonly Entry[], action: string): Entry[] =>
  all.filter(({ kind, body }) => kind === 'intent' && body['action'] === action);
const call = (name: string, args: unknown) => ({ calls: [{ name, args }] });

it('reads, tries what is above its tier, is refused, adapts, and finishes inside its budget', async () => {
  await using project = await modelProject({
    agents: { reviewer: 'T0' },
    answers: [
      call('fs_read', { path: 'README.md' }),
      call('fs_write', { path: 'README.md', content: 'better' }),
      ({ body }) => {
        const told = body.messages.at(-1).content;
        return told.includes('The rules refuse this') ? call('answer', { summary: 'I may only read.', ok: true }) : {};
      },
    ],
    definition: { tools: ['fs'], output: true, more: 'budget: { tokens: 100000, money: 1 }' },
  });
  writeFileSync(join(project.root, 'README.md'), 'Grüezi\n');
  const done = await project.agov('agent', 'run', 'reviewer', '--task', 'Mend the README.', '--json');
  expect(done.stderr).toBe('');
  expect(done.code).toBe(0);
  const result = JSON.parse(done.stdout);
  expect(result).toMatchObject({
    end: 'finished',
    output: { summary: 'I may only read.', ok: true },
    facts: { steps: 3, tokens: 330, moneyMicros: 3 * (100 + 10 * 5) },
  });
  expect(project.server.asked[1]?.body.messages.at(-1).content).toContain('Grüezi');

  const all = await project.entries();
  const written = intents(all, 'fs.write').map(decisionOf);
  expect(written.map(({ verdict }) => verdict)).toEqual(['deny']);
  expect(readFileSync(join(project.root, 'README.md'), 'utf8')).toBe('Grüezi\n');
  // One tree: every intent of the run hangs below the first.
  const [top, ...calls] = intents(all, 'model.call');
  expect(calls).toHaveLength(3);
  const below = all.filter(({ kind, run }) => kind === 'intent' && run === top?.run).slice(1);
  expect(below.every(({ parent }) => parent === top?.id)).toBe(true);
  // The record names the prompt by its digest, and holds no word of it.
  expect(JSON.stringify(all)).not.toContain('Mend the README');
  const outcome = all.find(({ kind, parent }) => kind === 'outcome' && parent === top?.id);
  const transcript = outcome?.artifacts?.find(({ name }) => name === 'transcript.json');
  const shown = await must(project.agov('artifact', transcript?.sha256 ?? ''));
  expect(shown.stdout).toContain('Mend the README');
  expect(shown.stdout).toContain('I may only read.');
  expect((await project.agov('ledger', 'verify')).code).toBe(0);
});

it('keeps the key from the record, the artifacts, the model’s words, and whoever reads the terminal', async () => {
  await using project = await modelProject({
    agents: { reviewer: 'T0' },
    answers: [{ text: `Your key is ${'sk-scripted-'}4242424242, is it not?` }],
  });
  const done = await project.agov('agent', 'run', 'reviewer', '--task', 'Say hello.');
  expect(done.code).toBe(0);
  expect(done.stdout).toContain('Your key is [redacted], is it not?');
  expect(project.server.asked[0]?.headers.authorization).toBe(`Bearer ${project.key}`);
  expect(JSON.stringify(project.server.asked[0]?.body)).not.toContain(project.key);
  const data = join(project.root, '.agov');
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    expect(readFileSync(join(entry.parentPath, entry.name)).includes(project.key), entry.name).toBe(false);
  }
  const leases = await must(project.agov('leases', '--json'));
  expect(JSON.parse(leases.stdout)).toEqual([]);
});

it.each<[string, Parameters<typeof modelProject>[0], number, string]>([
  ['goes in circles', { answers: [call('fs_read', { path: 'a.txt' })] }, 5, 'loop'],
  [
    'goes in circles by turns',
    {
      answers: Array.from({ length: 9 }, (_, i) => call('fs_read', { path: i % 2 === 0 ? 'a.txt' : 'b.txt' })),
    },
    5,
    'loop',
  ],
  [
    'never comes to an end',
    {
      answers: Array.from({ length: 9 }, (_, i) => call('fs_read', { path: `${i}.txt` })),
      definition: { limits: '{ steps: 4 }' },
    },
    4,
    'steps',
  ],
  ['refuses', { answers: [{ text: 'No.', finish: 'content_filter' }] }, 3, 'refused'],
  ['streams garbage', { answers: [{ raw: ['data: {{{\n\n'] }] }, 1, 'failed'],
  ['breaks off', { answers: [{ raw: events({ choices: [{ index: 0, delta: { content: 'x' } }] }) }] }, 1, 'failed'],
  ['says nothing', { answers: [{ text: '' }] }, 1, 'failed'],
  ['is cut off', { answers: [{ text: 'and then', finish: 'length' }] }, 1, 'failed'],
  ['hangs', { answers: [{ raw: [], ending: 'hang' }], model: { silence: '100ms' } }, 1, 'failed'],
  [
    'takes longer than it may',
    { answers: [{ raw: [], ending: 'hang' }], definition: { limits: '{ timeout: 300ms }' } },
    130,
    'stopped',
  ],
  [
    'uses up its tokens',
    {
      answers: Array.from({ length: 9 }, (_, i) => ({
        ...call('fs_read', { path: `${i}.txt` }),
        usage: [900, 90] as const,
      })),
      definition: { more: 'budget: { tokens: 6000 }' },
    },
    6,
    'budget',
  ],
  [
    'uses up its actions',
    {
      answers: Array.from({ length: 9 }, (_, i) => call('fs_read', { path: `${i}.txt` })),
      definition: { more: 'budget: { actions: 4 }' },
    },
    6,
    'budget',
  ],
  [
    'answers what does not fit, twice',
    { answers: [call('answer', { ok: 'yes' })], definition: { output: true } },
    1,
    'failed',
  ],
])('a model that %s ends cleanly, by name', async (_name, options, code, end) => {
  await using project = await modelProject({ agents: { reviewer: 'T0' }, ...options });
  const done = await project.agov('agent', 'run', 'reviewer', '--task', 'Look around.', '--json');
  expect(JSON.parse(done.stdout)).toMatchObject({ end, facts: { end, exitCode: code } });
  expect(done.code).toBe(code);
  const all = await project.entries();
  const open = intents(all, 'model.call').filter(({ id, body }) => {
    const allowed = (body['decision'] as { verdict: string }).verdict === 'allow';
    return allowed && !all.some(({ kind, parent }) => kind === 'outcome' && parent === id);
  });
  expect(open).toEqual([]);
});

it('hands in its answer once more when it did not fit', async () => {
  await using project = await modelProject({
    agents: { reviewer: 'T0' },
    answers: [call('answer', { ok: 'yes' }), call('answer', { ok: true, summary: 'Good.' })],
    definition: { output: true },
  });
  const done = await project.agov('agent', 'run', 'reviewer', '--task', 'Judge.', '--json');
  expect(JSON.parse(done.stdout).output).toEqual({ ok: true, summary: 'Good.' });
  expect(project.server.asked[1]?.body.messages.at(-1).content).toContain('does not fit its schema');
});

it('is not run at another tier than its definition says, and never raised', async () => {
  await using project = await modelProject({ agents: { reviewer: 'T1' }, answers: [{ text: 'hello' }] });
  const done = await project.agov('agent', 'run', 'reviewer', '--task', 'x');
  expect(done.code).toBe(77);
  expect(done.stderr).toContain('agov agent demote reviewer --to T0');
  expect(project.server.asked).toHaveLength(0);
});

it('is cut off when its agent is revoked while the model is thinking', async () => {
  await using project = await modelProject({ agents: { reviewer: 'T0' }, answers: [{ raw: [], ending: 'hang' }] });
  const running = project.agov('agent', 'run', 'reviewer', '--task', 'x', '--json');
  await project.server.came(1);
  await must(project.agov('agent', 'revoke', 'reviewer', '--reason', 'enough'));
  const done = await running;
  expect(JSON.parse(done.stdout)).toMatchObject({ end: 'stopped', exitCode: 130 });
});

it('offers by name what every asker’s table has', async () => {
  await using project = await modelProject({ agents: { reviewer: 'T0' }, answers: [{}] });
  await using app = openApp({ from: project.root, environment: project.environment });
  const channel = { agent: 'reviewer', run: app.ids(), workspace: project.root };
  await using operations = await app.operations({ channel, parent: 'none' });
  expect([...operations.table.keys()].sort()).toEqual([...operationNames].sort());
});
