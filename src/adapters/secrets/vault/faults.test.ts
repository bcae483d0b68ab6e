/** A Vault that is sealed, throttled, broken or hostile: an error in time that says what it is, and no secret in it. */
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Opened, opened, recorded, refusal, secretText } from '../../../../test/support/vault/index.ts';
import { Secret } from '../../../kernel/index.ts';

const use = { ttlMs: 60_000, intent: 'intent-1' };
let one: Opened;
beforeEach(async () => {
  one = await opened({ deadlineMs: 800 });
});
afterEach(() => one[Symbol.asyncDispose]());

/** What becomes of a lease now, and in how many milliseconds. */
async function attempt() {
  const begun = performance.now();
  const error = await refusal(one.secrets.lease('dev/db', use));
  return { error, ms: performance.now() - begun };
}

async function works(): Promise<void> {
  const lease = await one.secrets.lease('dev/db', use);
  expect(lease.value.reveal()).toBe(secretText);
  await one.secrets.end(lease.id);
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  return (response: ServerResponse): true => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    return true;
  };
}

describe('a server that says why', () => {
  it('sealed in the middle of a run: denied at once, and back without a restart', async () => {
    await works();
    one.vault.sealed = true;
    const { error, ms } = await attempt();
    expect(error).toMatchObject({ code: 'SECRETS_UNAVAILABLE', details: { reason: 'sealed' } });
    expect(ms).toBeLessThan(400);
    one.vault.sealed = false;
    await works();
  });

  it.each([
    ['uninitialised', 501, { initialized: false, sealed: true, standby: true }],
    ['standby', 429, { initialized: true, sealed: false, standby: true }],
    ['replica', 472, { initialized: true, sealed: false, standby: true }],
    ['replica', 473, { initialized: true, sealed: false, standby: true }],
  ])('%s (health answers %i)', async (reason, status, health) => {
    one.vault.fault = (path, response) =>
      path === 'sys/health' ? answer(status, health)(response) : answer(status === 429 ? 500 : status, '')(response);
    const { error } = await attempt();
    expect(error.details).toMatchObject({ reason });
  });

  it('throttled: waits as long as it is asked to, if that is in time', async () => {
    let refused = 0;
    const { body } = recorded('read under quota');
    one.vault.fault = (path, response) =>
      path.startsWith('agov/data/dev') && refused++ === 0 && answer(429, body, { 'Retry-After': '0' })(response);
    await works();
    expect(refused).toBe(2);
    one.vault.fault = (_path, response) => answer(429, body, { 'Retry-After': '60' })(response);
    const { error, ms } = await attempt();
    expect(error).toMatchObject({ details: { reason: 'throttled' }, why: 'It asks to wait for 60 s.' });
    expect(ms).toBeLessThan(400);
  });

  it('failing: tried again, with pauses, and given up', async () => {
    let failures = 2;
    one.vault.fault = (_path, response) => failures-- > 0 && answer(500, { errors: [] })(response);
    await works();
    one.vault.fault = (path, response) => path !== 'sys/health' && answer(500, '<html>')(response);
    const before = one.vault.requests.length;
    expect((await attempt()).error.details).toMatchObject({ reason: 'server' });
    expect(one.vault.requests.length - before).toBeLessThanOrEqual(7);
  });

  it('failing at one path alone: told apart from a server that fails at all', async () => {
    one.vault.fault = (path, response) => path === 'agov/data/dev/db' && answer(500, '<html>')(response);
    const { error } = await attempt();
    expect(error).toMatchObject({ details: { reason: 'engine' }, what: expect.stringContaining('agov/data/dev/db') });
  });
});

describe('a server that is not itself', () => {
  const flood = Buffer.alloc(65_536, 'a');
  const garbage: [string, (response: ServerResponse) => true, string][] = [
    ['a web page', answer(200, '<html>hello</html>'), 'garbage'],
    ['nothing', answer(200, ''), 'garbage'],
    ['another shape', answer(200, { data: { value: secretText } }), 'garbage'],
    ['half a text', answer(200, `{"data": {"value": "${secretText}`), 'garbage'],
    ['a status from nowhere', answer(299, {}), 'garbage'],
    ['a teapot', answer(418, { errors: ['no'] }), 'garbage'],
  ];
  it.each(garbage)('answering %s', async (_what, reply, reason) => {
    await works();
    one.vault.fault = (path, response) => path.startsWith('agov/data/dev') && reply(response);
    const { error } = await attempt();
    expect(error.details).toMatchObject({ reason });
  });

  it('answering without end', async () => {
    one.vault.fault = (_path, response) => {
      const more = (): void => void (response.destroyed || response.write(flood, more));
      response.on('error', () => undefined);
      more();
      return true;
    };
    const { error, ms } = await attempt();
    expect(error).toMatchObject({ details: { reason: 'garbage' }, what: expect.stringContaining('bytes') });
    expect(ms).toBeLessThan(800);
  });

  it.each([
    ['never', () => undefined],
    ['a byte and then never', (response: ServerResponse) => void response.writeHead(200).write('{')],
  ])('answering %s: ended at the deadline, whatever is asked', async (_how, begin) => {
    one.vault.fault = (_path, response) => {
      begin(response);
      return true;
    };
    const id = `0199c2d4-0000-7000-8000-000000000000-${'0'.repeat(32)}`;
    const { secrets } = one;
    const begun = performance.now();
    const all = [
      ...[secrets.lease('dev/db', use), secrets.set('dev/x', new Secret(secretText)), secrets.remove('dev/db')],
      ...[secrets.list(), secrets.leases(), secrets.renew(id, 1000), secrets.end(id)],
    ];
    const errors = await Promise.all(all.map(refusal));
    expect(performance.now() - begun).toBeLessThan(1300);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'SECRETS_UNAVAILABLE', details: { reason: 'deadline' } });
    }
    one.vault.fault = undefined;
    await works();
  });

  it('cutting the connection now and then: tried again', async () => {
    let count = 0;
    one.vault.fault = (_path, response) => {
      if (++count % 4 !== 0) return false;
      response.destroy();
      return true;
    };
    for (let i = 0; i < 5; i++) await works();
    one.vault.fault = (_path, response) => !response.destroy().writable;
    expect((await attempt()).error.details).toMatchObject({ reason: 'address' });
  });

  it('saying our token and our value back', async () => {
    await works();
    one.vault.fault = (path, response, request) =>
      path.startsWith('agov/data/dev') &&
      answer(400, { errors: [`no: ${request.headers['x-vault-token']} ${secretText} ${btoa(secretText)}`] })(response);
    const stored = await refusal(one.secrets.set('dev/db', new Secret(secretText)));
    expect(stored.details).toMatchObject({ reason: 'refused' });
    const { error } = await refusalOfRead();
    expect(error.why).toContain('[redacted]');
  });

  /** The value is not ours to know before it is read, so that it is left out of what the server says. */
  async function refusalOfRead() {
    one.vault.fault = (path, response, request) =>
      path.startsWith('agov/data/dev') &&
      answer(400, { errors: [`no: ${request.headers['x-vault-token']}`] })(response);
    return attempt();
  }
});

describe('a redirect', () => {
  const lead = (to: (path: string) => string): void => {
    one.vault.fault = (path, response, request) =>
      !request.headers.host?.startsWith('localhost') && answer(307, '', { Location: to(path) })(response);
  };

  it('to the same host is followed, with the token', async () => {
    let count = 0;
    one.vault.fault = (_path, response, request) =>
      count++ % 2 === 0 && answer(307, '', { Location: `${one.vault.address.origin}${request.url}` })(response);
    await works();
  });

  it.each([
    ['to another host', (path: string) => `http://localhost:${one.vault.address.port}/v1/${path}`],
    ['to another host by TLS', (path: string) => `https://vault.example/v1/${path}`],
    ['to another path', () => '/v1/sys/seal'],
    ['that adds a query', (path: string) => `/v1/${path}?wrap=1`],
    ['with a user name', (path: string) => `http://x:y@127.0.0.1:${one.vault.address.port}/v1/${path}`],
    ['to another scheme', () => 'file:///etc/passwd'],
    ['to nowhere', () => 'http://'],
  ])('%s is refused, and takes no token along', async (_where, to) => {
    lead(to);
    expect((await attempt()).error.details).toMatchObject({ reason: 'redirect' });
    expect(one.vault.requests).toHaveLength(1);
  });

  it('in a circle is left', async () => {
    lead((path) => `${one.vault.address.origin}/v1/${path}`);
    expect((await attempt()).error).toMatchObject({
      details: { reason: 'redirect' },
      what: expect.stringMatching(/row/),
    });
  });
});

it('closing ends what is under way, and shows nothing', async () => {
  await works();
  one.vault.fault = () => true;
  const waiting = refusal(one.secrets.lease('dev/db', use));
  await one.secrets[Symbol.asyncDispose]();
  expect((await waiting).details).toMatchObject({ reason: 'closed' });
  expect((await refusal(one.secrets.list())).details).toMatchObject({ reason: 'closed' });
  await one.secrets[Symbol.asyncDispose]();
  expect(inspect(one.secrets, { depth: 12, showHidden: true })).not.toMatch(/fake-token|correct-horse/);
});
