/** The whole way: a command in the sandbox, the relay, the socket, the proxy, a server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { itWith } from '../../../test/support/needs.ts';
import { bubblewrapSandbox } from '../../adapters/sandbox/bubblewrap/index.ts';
import { systemEnv } from '../../kernel/index.ts';
import { startEgressProxy } from './index.ts';

itWith('bwrap', 'lets a confined command reach what is listed, and nothing else', async () => {
  const env = systemEnv();
  const folder = mkdtempSync(join(tmpdir(), 'agov-way-out-'));
  const server = createServer((request, response) => response.end(`hello ${request.url}`)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  const asked: string[] = [];
  await using proxy = await startEgressProxy({
    socketPath: join(folder, 's'),
    env,
    allowPrivate: ['listed.test'],
    resolve: async () => [{ address: '127.0.0.1' }],
    async authorize({ host, method }) {
      asked.push(`${method} ${host}`);
      return { allow: host !== 'unlisted.test', reason: 'not listed', end: async () => undefined };
    },
  });
  writeFileSync(
    join(folder, 'try.mjs'),
    `for (const host of ['listed.test', 'unlisted.test', 'rebound.test']) {
      const answer = await fetch('http://' + host + ':${port}/x').then((r) => r.text(), (e) => e.cause?.message ?? e.message);
      console.log(answer.trim());
    }`,
  );
  const running = await bubblewrapSandbox({ env }).start({
    argv: ['node', 'try.mjs'],
    env: {},
    stdin: 'none',
    profile: {
      workspace: folder,
      access: 'read-only',
      hidden: [],
      protected: [],
      readOnly: [],
      readWrite: [],
      network: { mode: 'proxy', socket: proxy.socketPath },
    },
  });
  const [stdout, stderr] = await Promise.all([text(running.stdout), text(running.stderr)]);
  expect(await running.exit, stderr).toMatchObject({ code: 0 });
  server.close();
  rmSync(folder, { recursive: true });
  const lines = stdout.split('\n');
  expect(stdout, asked.join()).toContain('hello /x');
  expect(lines.filter((line) => line.startsWith('hello'))).toHaveLength(1);
  expect(asked.map((line) => line.split(' ')[1])).toEqual(['listed.test', 'unlisted.test', 'rebound.test']);
});
