import { appendFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestProject, testProject } from '../support/cli.ts';
import { describeWith } from '../support/needs.ts';

let project: TestProject;
let server: Server;
let listed = '';
let unlisted: Server;

beforeAll(async () => {
  [server, unlisted] = [await listen('from outside'), await listen('must not be reached')];
  listed = `127.0.0.1:${portOf(server)}`;
  project = await testProject({ reader: 'T0', builder: 'T1' });
  appendFileSync(join(project.root, 'agov.yaml'), `hosts:\n  T1: ["${listed}"]\n`);
});
afterAll(() => {
  project[Symbol.dispose]();
  server.close();
  unlisted.close();
});

const listen = (answer: string): Promise<Server> =>
  new Promise((resolve) => {
    const made = createServer((_request, response) => void response.end(answer));
    made.listen(0, '127.0.0.1', () => resolve(made));
  });
const portOf = (of: Server): number => (of.address() as AddressInfo).port;

/** Node's own fetch by the proxy that the sandbox names, for loopback addresses too. */
const fetchAs = (agent: string, url: string) => {
  const script = `fetch(${JSON.stringify(url)}).then(async (r) => { console.log(r.status, await r.text()); }, (e) => { console.log('no way out', e.message); process.exit(1); })`;
  return project.agov(
    'run',
    '--agent',
    agent,
    '--',
    'env',
    '-u',
    'NO_PROXY',
    '-u',
    'no_proxy',
    'NODE_USE_ENV_PROXY=1',
    'node',
    '-e',
    script,
  );
};

describeWith('bwrap', 'the way out of the sandbox', () => {
  it('leads to listed hosts, and each request is on record below the command', async () => {
    const done = await fetchAs('builder', `http://${listed}/`);
    expect(done.stdout).toBe('200 from outside\n');
    const entries = await project.entries();
    const request = entries.findLast((entry) => entry.body['action'] === 'net.request');
    expect(request?.body).toMatchObject({ resource: listed, decision: { verdict: 'allow' } });
    const above = entries.find((entry) => entry.id === request?.parent);
    expect(above?.body).toMatchObject({ action: 'process.exec' });
    const outcome = entries.find((entry) => entry.parent === request?.id);
    expect(outcome?.body).toMatchObject({ status: 'ok', facts: { bytesIn: expect.any(Number) } });
  });

  it('leads nowhere else, and the attempt is on record', async () => {
    const target = `127.0.0.1:${portOf(unlisted)}`;
    const done = await fetchAs('builder', `http://${target}/`);
    expect(done.code).toBe(1);
    const denied = (await project.entries()).findLast((entry) => entry.body['action'] === 'net.request');
    expect(denied?.body).toMatchObject({ resource: target, decision: { verdict: 'deny' } });
  });

  it('is not there for T0', async () => {
    const done = await fetchAs('reader', `http://${listed}/`);
    expect(done.code).not.toBe(0);
    expect(done.stdout).toContain('no way out');
  });
});
