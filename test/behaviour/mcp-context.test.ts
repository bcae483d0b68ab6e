/** `agov mcp context`, by a client that is not ours, and by lines of JSON-RPC written by hand. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../support/cli.ts';
import { itWith } from '../support/needs.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ bob: 'T1', obs: 'T0' });
});
afterAll(() => project[Symbol.dispose]());

interface Connected extends AsyncDisposable {
  readonly client: Client;
  call(name: string, input?: Record<string, unknown>): Promise<{ text: string; failed: boolean }>;
}

async function connected(...argv: string[]): Promise<Connected> {
  const client = new Client({ name: 'a-client', version: '1' });
  const env = Object.fromEntries(Object.entries(project.environment).map(([key, value]) => [key, value ?? '']));
  const args = [main, 'mcp', 'context', ...argv];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, cwd: project.root }));
  return {
    client,
    async call(name, input = {}) {
      const done = await client.callTool({ name, arguments: input });
      const [first] = done.content as readonly { readonly text?: string }[]; // as our tools answer
      return { text: first?.text ?? '', failed: done.isError === true };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const intentsOf = async (agent: string) =>
  (await project.entries()).filter((entry) => entry.kind === 'intent' && entry.agent === agent);

describe('the client of the SDK', () => {
  it('finds the tools, and uses them as the operator', async () => {
    await using mcp = await connected();
    const { tools } = await mcp.client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual([
      'checkpoint_load',
      'checkpoint_now',
      'checkpoint_report',
      'memory_fetch',
      'memory_list',
      'memory_log',
      'memory_search',
      'status_dashboard',
      'status_sweep',
      'status_update',
    ]);
    expect(mcp.client.getInstructions()).toContain('checkpoint_load');
    const logged = JSON.parse(
      (await mcp.call('memory_log', { content: 'the walnut is in the cellar\n', title: 'where' })).text,
    );
    expect(logged).toMatchObject({ space: 'project', title: 'where' });
    expect((await mcp.call('memory_search', { query: 'walnut' })).text).toContain(logged.id);
    expect((await mcp.call('memory_fetch', { id: logged.id })).text).toBe('the walnut is in the cellar\n');
    expect((await mcp.call('memory_list')).text).toContain(logged.id);
    await mcp.call('status_update', { directory: '.', phase: 'in-progress', tasks: ['find the walnut'] });
    expect(readFileSync(join(project.root, 'STATUS.md'), 'utf8')).toContain('find the walnut');
    expect((await mcp.call('status_dashboard')).text).toContain('in-progress');
    expect((await mcp.call('status_sweep')).text).toContain('"findings"');
    await mcp.call('checkpoint_now', { notes: 'seen', next: ['open the cellar'] });
    const brief = await mcp.call('checkpoint_load', { budget: 400 });
    for (const text of ['open the cellar', 'find the walnut', 'seen']) expect(brief.text).toContain(text);
    expect((await mcp.call('checkpoint_report')).text).toContain('walnut');
  });

  it('is refused what is malformed, with what to do, and goes on', async () => {
    await using mcp = await connected();
    for (const [name, input] of [
      ['memory_log', { content: '' }],
      ['memory_log', { content: 'x', space: 'agent/bob' }],
      ['memory_log', { content: 'x'.repeat(1_000_000) }],
      ['memory_fetch', { id: '../../etc/passwd' }],
      ['checkpoint_load', { budget: 1 }],
      ['checkpoint_load', { id: 'nope' }],
      ['status_update', { directory: '../..' }],
      ['status_update', { directory: '.agov', phase: 'complete' }],
      ['status_sweep', { directory: '../../..' }],
      ['no_such_tool', {}],
    ] as const) {
      const { failed, text } = await mcp.call(name, input);
      expect({ name, failed, text }).toMatchObject({ failed: true, text: expect.not.stringContaining('INTERNAL') });
    }
    expect((await mcp.call('memory_list')).failed).toBe(false);
  });

  it('acts as the agent that the configuration names, each use as an intent, in that agent’s space alone', async () => {
    await must(project.agovWith('only for operators\n', 'memory', 'log', '--title', 'secret plan'));
    await using mcp = await connected('--agent', 'bob');
    expect((await mcp.client.listTools()).tools).toHaveLength(10);
    const logged = JSON.parse((await mcp.call('memory_log', { content: 'bob was here\n' })).text);
    expect(logged.space).toBe('agent/bob');
    expect((await mcp.call('memory_list')).text).not.toContain('secret plan');
    expect((await mcp.call('memory_search', { query: 'operators' })).text).toContain('"hits": []');
    await mcp.call('checkpoint_now', { notes: 'of bob' });
    expect((await mcp.call('checkpoint_load')).text).toContain('of bob');
    const intents = (await intentsOf('bob')).map(({ body }) => `${body['action']} ${body['resource']}`);
    expect(intents).toContain('memory.write agent/bob');
    expect(intents.every((one) => one.endsWith(' agent/bob'))).toBe(true);
    expect((await mcp.call('checkpoint_report')).text).not.toContain('secret plan');
    expect((await mcp.call('status_dashboard')).text).toContain('"rows"');
    expect((await intentsOf('bob')).at(-1)?.body).toMatchObject({ action: 'fs.read', resource: '.' });
    for (const directory of ['..', '/etc', '.agov', 'none']) {
      expect(await mcp.call('status_sweep', { directory })).toMatchObject({ failed: true });
    }
    const brief = await must(project.agov('checkpoint', 'load'));
    expect(brief.stdout).not.toContain('of bob');
    // A T0 may say nothing in the workspace.
    await using observer = await connected('--agent', 'obs');
    expect(await observer.call('status_update', { directory: '.', note: 'hello' })).toMatchObject({ failed: true });
    expect((await observer.call('checkpoint_load', { id: 'latest' })).text).not.toContain('of bob');
    expect((await project.agov('mcp', 'context', '--agent', 'nobody')).code).toBe(66);
  });
});

it('speaks the protocol in lines, passes over what is none, and ends with its input', async () => {
  const child = spawn(process.execPath, [main, 'mcp', 'context'], { cwd: project.root, env: project.environment });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (method: string, id: number, params: object = {}): Promise<{ result?: object; error?: object }> => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const answer = JSON.parse(String((await lines.next()).value));
    expect(answer).toMatchObject({ jsonrpc: '2.0', id });
    return answer;
  };
  const clientInfo = { name: 'by-hand', version: '0' };
  const begun = await ask('initialize', 1, { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  expect(begun.result).toMatchObject({ protocolVersion: '2025-06-18', serverInfo: { name: 'agov-context' } });
  child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  child.stdin.write('this is no JSON\n{"jsonrpc":"1.0"}\n');
  expect((await ask('tools/list', 2)).result).toMatchObject({ tools: expect.any(Array) });
  const called = await ask('tools/call', 3, { name: 'memory_log', arguments: { content: 'by hand' } });
  expect(called.result).toMatchObject({ content: [{ type: 'text', text: expect.stringContaining('project') }] });
  expect((await ask('no/such', 4)).error).toMatchObject({ code: -32601 });
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdin.end();
  expect(await ended).toBe(0);
});

itWith('bwrap', 'is to a sandboxed process its own space, and no other', async () => {
  writeFileSync(
    join(project.root, 'ask.mjs'),
    `import { request } from 'node:http';
const call = (name, input) => new Promise((resolve) => {
  const asked = request({ socketPath: process.env.AGOV_SOCKET, path: '/v1/' + name, method: 'POST' }, async (response) => {
    let text = '';
    for await (const chunk of response) text += chunk;
    resolve(response.statusCode + ' ' + text.trim());
  });
  asked.end(JSON.stringify(input));
});
console.log(await call('memory.log', { content: 'from inside\\n', title: 'inside' }));
console.log(await call('memory.list', {}));
console.log(await call('memory.search', { query: 'operators' }));
console.log(await call('checkpoint.now', { notes: 'from the sandbox' }));
console.log(await call('checkpoint.load', {}));
console.log(await call('status.dashboard', {}));
console.log(await call('status.sweep', { directory: '..' }));
console.log(await call('checkpoint.report', {}));
console.log(await call('memory.list', { space: 'project' }));
console.log(await call('memory.log', { content: 'x', agent: 'bob' }));
`,
  );
  const done = await must(project.agov('run', '--agent', 'obs', '--', 'node', 'ask.mjs'));
  const [log, list, search, now, load, board, outside, report, other, claim] = done.stdout.trim().split('\n');
  expect(log).toMatch(/^200 .*agent\/obs/);
  expect(list).toMatch(/^200 .*inside/);
  expect(search).toMatch(/^200 .*"hits":\[\]/);
  expect(now).toMatch(/^200 .*"id"/);
  expect(load).toMatch(/^200 .*from the sandbox/);
  expect(board).toMatch(/^200 .*"rows"/);
  expect(outside).toMatch(/^4\d\d .*WORKSPACE_INVALID/);
  expect(report).toMatch(/^200 .*"files"/);
  expect(report).not.toContain('secret plan');
  expect(other).toMatch(/^400 /);
  expect(claim).toMatch(/^400 /);
  expect(existsSync(join(project.root, '.agov/checkpoints'))).toBe(true);
  const violations = (await project.entries()).filter(({ kind }) => kind === 'violation');
  expect(violations.length).toBeGreaterThan(0);
});

it('is the agent of the socket in a governed process, whatever the command line says', async () => {
  using open = await testProject({ bob: 'T1', eve: 'T1' });
  const config = join(open.root, 'agov.yaml');
  writeFileSync(config, `${readFileSync(config, 'utf8').replace(/^sandbox:.*$/m, '')}\nsandbox: none\n`);
  const said = [
    ['initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '0' } }],
    ['tools/list', {}],
    ['tools/call', { name: 'memory_log', arguments: { content: 'whose is this' } }],
    ['tools/call', { name: 'checkpoint_load', arguments: { id: 'ops' } }],
  ].map(([method, params], id) => JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  writeFileSync(join(open.root, 'said.jsonl'), `${said.join('\n')}\n`);
  const script = `"${process.execPath}" "${main}" mcp context --agent eve --as ada < said.jsonl`;
  const done = await must(open.agov('run', '--agent', 'bob', '--', 'sh', '-c', script));
  const answers = new Map(
    done.stdout
      .trim()
      .split('\n')
      .map((line) => [JSON.parse(line).id, JSON.parse(line).result]),
  );
  expect(answers.get(1).tools.map(({ name }: { name: string }) => name)).toContain('status_sweep');
  expect(answers.get(2).content[0].text).toContain('agent/bob');
  expect(answers.get(3)).toMatchObject({ isError: true });
});
