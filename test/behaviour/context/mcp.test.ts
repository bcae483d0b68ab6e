/** `agov mcp context` with clients that misbehave, and with ones that are not what they say. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { must, type TestProject, testProject } from '../../support/cli.ts';
import { itWith } from '../../support/needs.ts';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const clientInfo = { name: 'by-hand', version: '0' };

let project: TestProject;
beforeAll(async () => {
  project = await testProject({ bob: 'T1', eve: 'T1' });
});
afterAll(() => project[Symbol.dispose]());

interface Conversation extends AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<readonly [number | null, string]>;
  say(line: string): void;
  send(id: number, method: string, params?: object): void;
  /** The next message that it sends. */
  heard(): Promise<{
    id: number | null;
    result?: { content?: readonly { text: string }[]; isError?: boolean };
    error?: { code: number };
  }>;
}

function started(argv: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Conversation {
  const environment = { ...project.environment, ...env };
  const child = spawn(process.execPath, [main, 'mcp', 'context', ...argv], { cwd: project.root, env: environment });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  child.stdin.on('error', () => undefined); // it may go first
  const ended = once(child, 'close').then(([code]) => [code, told] as const);
  const say = (line: string): void => void child.stdin.write(`${line}\n`);
  return {
    ...{ child, ended, say },
    send: (id, method, params = {}) => say(JSON.stringify({ jsonrpc: '2.0', id, method, params })),
    heard: async () => JSON.parse(String((await lines.next()).value)),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

async function begun(argv: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Conversation> {
  const talk = started(argv, env);
  talk.send(0, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  expect(await talk.heard()).toMatchObject({ id: 0, result: { serverInfo: { name: 'agov-context' } } });
  talk.say('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  return talk;
}

it('passes over what is no message, and answers the next one', async () => {
  await using talk = await begun();
  for (const line of [
    ...[
      '',
      'null',
      '[]',
      '{}',
      '"text"',
      '{"jsonrpc":"2.0","id":1}',
      '{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
    ],
    ...[
      '\u0000\u0001',
      `${'['.repeat(200_000)}`,
      '{"jsonrpc":"2.0","method":"no/such/notification"}',
      '{"__proto__":1}',
    ],
    '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]',
  ]) {
    talk.say(line);
  }
  talk.send(2, 'tools/list');
  expect(await talk.heard()).toMatchObject({ id: 2, result: { tools: expect.any(Array) } });
  talk.send(3, 'tools/call', { name: 'memory_list', arguments: 'none' });
  expect(await talk.heard()).toMatchObject({ id: 3, error: { code: expect.any(Number) } });
  talk.send(4, 'tools/call', { name: '__proto__' });
  expect(await talk.heard()).toMatchObject({ id: 4, result: { isError: true } });
  talk.send(5, 'tools/call', { name: 'memory_list', arguments: JSON.parse('{"__proto__":{"limit":1},"limit":2}') });
  expect((await talk.heard()).id).toBe(5);
});

it('holds no message that is too long, and says so', async () => {
  await using talk = await begun();
  const piece = Buffer.alloc(1024 * 1024, 'x');
  for (let i = 0; i < 64; i++) if (!talk.child.stdin.write(piece)) await once(talk.child.stdin, 'drain');
  const held = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${talk.child.pid}/status`, 'utf8'))?.[1]) / 1024;
  expect(held).toBeLessThan(400);
  talk.say('');
  expect(await talk.heard()).toMatchObject({ id: null, error: { code: -32600 } });
  // What a tool takes at most fits, in whatever way it is written.
  const content = 'ä'.repeat(899_000).replaceAll('ä', '\\u00e4');
  talk.say(
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"memory_log","arguments":{"content":"${content}"}}}`,
  );
  expect((await talk.heard()).result).toMatchObject({ content: [{ text: expect.stringContaining('"id"') }] });
});

it('answers many at once, each with its own, and no more than it can', async () => {
  await using talk = await begun();
  for (let id = 1; id <= 60; id++) {
    talk.send(id, 'tools/call', { name: 'memory_log', arguments: { content: `of call ${id}\n`, title: `call ${id}` } });
  }
  const titles = new Map<number | null, string>();
  for (let n = 0; n < 60; n++) {
    const { id, result } = await talk.heard();
    expect(result?.isError, result?.content?.[0]?.text).not.toBe(true);
    titles.set(id, JSON.parse(result?.content?.[0]?.text ?? '').title);
  }
  for (let id = 1; id <= 60; id++) expect(titles.get(id)).toBe(`call ${id}`);
  for (let id = 1; id <= 300; id++) talk.send(id, 'tools/call', { name: 'memory_list', arguments: {} });
  const refused: string[] = [];
  for (let n = 0; n < 300; n++) {
    const { result } = await talk.heard();
    if (result?.isError) refused.push(result.content?.[0]?.text ?? '');
  }
  for (const one of refused) expect(one).toContain('calls are under way');
});

it('finishes what was asked when its input ends in the middle, and leaves half a message alone', async () => {
  const talk = await begun();
  talk.send(1, 'tools/call', { name: 'checkpoint_now', arguments: { notes: 'the last word' } });
  talk.child.stdin.end('{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"memory_log","argu');
  expect(await talk.heard()).toMatchObject({ id: 1, result: { content: expect.any(Array) } });
  expect(await talk.ended).toEqual([0, '']);
  expect((await must(project.agov('checkpoint', 'show'))).stdout).toContain('the last word');
});

it('ends when nobody listens any more', async () => {
  const talk = await begun();
  talk.child.stdout.destroy();
  for (let id = 1; id <= 20; id++) talk.send(id, 'tools/list');
  const [, told] = await talk.ended;
  expect(told).not.toContain('at ');
});

it('is nobody without its socket: not an operator, and not whom it names', async () => {
  for (const env of [
    { AGOV_AGENT: 'bob', AGOV_RUN: 'x' },
    { AGOV_SOCKET: join(project.root, 'no-such-socket') },
    { AGOV_SOCKET: '/dev/null', AGOV_AGENT: 'bob' },
  ]) {
    for (const argv of [[], ['--agent', 'eve'], ['--as', 'ada']]) {
      const talk = started(argv, env);
      talk.send(0, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
      talk.send(1, 'tools/call', { name: 'memory_log', arguments: { content: 'who am I' } });
      talk.child.stdin.end();
      const [code, told] = await talk.ended;
      expect({ env, argv, code, told }).toMatchObject({ code: expect.any(Number), told: expect.stringMatching(/\S/) });
      expect(code).not.toBe(0);
    }
  }
  expect((await must(project.agov('memory', 'search', 'who am I', '--json'))).stdout).not.toContain('who am I');
});

it('tells another agent nothing of a checkpoint, whatever it calls it', async () => {
  await using bob = await begun(['--agent', 'bob']);
  bob.send(1, 'tools/call', { name: 'checkpoint_now', arguments: { notes: 'only for bob', tag: 'bobs' } });
  const { id } = JSON.parse((await bob.heard()).result?.content?.[0]?.text ?? '');
  await must(project.agov('checkpoint', 'now', '--notes', 'only for operators', '--tag', 'ops'));
  await using eve = await begun(['--agent', 'eve']);
  let call = 1;
  for (const name of [id, id.slice(-12), id.slice(0, 8), 'bobs', 'ops', 'latest', undefined]) {
    eve.send(call, 'tools/call', { name: 'checkpoint_load', arguments: name === undefined ? {} : { id: name } });
    const { result } = await eve.heard();
    expect(JSON.stringify(result)).not.toContain('only for');
    call += 1;
  }
  bob.send(2, 'tools/call', { name: 'checkpoint_load', arguments: { id: 'bobs' } });
  expect((await bob.heard()).result?.content?.[0]?.text).toContain('only for bob');
});

it('puts no secret of a file into a brief over the socket of an agent either', async () => {
  const secret = `ghp_${'a1B2c3D4e5F6g7H8i9J0'}${'k1L2m3N4o5P6q7R8'}`;
  writeFileSync(join(project.root, 'env.txt'), `TOKEN=${secret}\n`);
  await using bob = await begun(['--agent', 'bob']);
  for (const [id, name] of [
    [1, 'checkpoint_now'],
    [2, 'checkpoint_load'],
  ] as const) {
    bob.send(id, 'tools/call', { name, arguments: {} });
    expect(JSON.stringify(await bob.heard())).not.toContain(secret);
  }
});

itWith(
  'bwrap',
  'is there in a sandbox, as the agent of the socket and no other, without anything installed',
  async () => {
    const call = (id: number, name: string, input: object) => ({
      id,
      method: 'tools/call',
      params: { name, arguments: input },
    });
    const said = [
      { id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } },
      { method: 'notifications/initialized' },
      { id: 1, method: 'tools/list' },
      call(2, 'memory_log', { content: 'from the sandbox\n', title: 'inside' }),
      call(3, 'checkpoint_load', { budget: 300 }),
      call(4, 'memory_list', { space: 'project' }),
      call(5, 'no_such_tool', {}),
      { id: 6, method: 'no/such' },
      ...Array.from({ length: 20 }, (_, i) => call(10 + i, 'memory_fetch', { id: 'nothing' })),
    ].map((message) => JSON.stringify({ jsonrpc: '2.0', ...message }));
    const lines = [
      ...said.slice(0, 2),
      'no JSON',
      '[]',
      `"${'x'.repeat(9_000_000)}"`,
      ...said.slice(2),
      '{"jsonrpc":"2.0","id":99,"met',
    ];
    writeFileSync(join(project.root, 'said.jsonl'), lines.join('\n'));
    const script = 'agov mcp context --agent eve --as ada < said.jsonl';
    const done = await must(project.agov('run', '--agent', 'bob', '--', 'sh', '-c', script));
    const heard = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(heard.filter(({ id }) => id === null)).toHaveLength(3);
    const answers = new Map(heard.map(({ id, ...told }) => [id, told]));
    expect(answers.get(0)).toMatchObject({ result: { serverInfo: { name: 'agov-context' } } });
    expect(answers.get(1).result.tools.map(({ name }: { name: string }) => name)).toContain('status_dashboard');
    expect(answers.get(2).result.content[0].text).toContain('agent/bob');
    expect(answers.get(3).result.content[0].text).toContain('On branch main');
    for (const id of [4, 5, 10, 29]) expect(answers.get(id), String(id)).toMatchObject({ result: { isError: true } });
    expect(answers.get(6)).toMatchObject({ error: { code: -32601 } });
    const without = await project.agov('run', '--agent', 'bob', '--', 'sh', '-c', `AGOV_SOCKET= ${script}`);
    expect(without).toMatchObject({ code: 69, stderr: expect.stringContaining('AGOV_SOCKET') });
  },
);

itWith('bwrap', 'serves the client of the SDK behind the socket of an agent', async () => {
  const client = new Client({ name: 'a-client', version: '1' });
  const env = Object.fromEntries(Object.entries(project.environment).map(([key, value]) => [key, value ?? '']));
  const args = [main, 'run', '--agent', 'bob', '--', 'agov', 'mcp', 'context'];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, cwd: project.root }));
  expect((await client.listTools()).tools).toHaveLength(10);
  const logged = await client.callTool({ name: 'memory_log', arguments: { content: 'by way of the socket' } });
  expect(JSON.stringify(logged)).toContain('agent/bob');
  const refused = await client.callTool({ name: 'status_sweep', arguments: { directory: '..' } });
  expect(refused).toMatchObject({ isError: true });
  await client.ping();
  await client.close();
});
