import { afterEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { Sandbox } from '../../adapters/sandbox/port.ts';
import type { Secrets } from '../../adapters/secrets/port.ts';
import { AgovError } from '../../kernel/index.ts';
import { type ProbeOptions, type ProbeParts, type ProbeResult, probeAll } from './index.ts';
import { judgeDisk } from './machine.ts';

let one: Governed | undefined;
afterEach(async () => {
  await one?.[Symbol.asyncDispose]();
  one = undefined;
});

const sandbox = (ok: boolean): Sandbox => ({
  kind: 'bubblewrap',
  library: '',
  locate: () => undefined,
  health: async () => ({ ok, detail: ok ? 'bubblewrap 1.0' : 'apt-get install bubblewrap' }),
  start: () => Promise.reject(new Error('not asked')),
});

async function probe(change: Partial<ProbeParts> = {}, options?: ProbeOptions): Promise<Record<string, ProbeResult>> {
  one ??= await governed({ agents: { bob: 'T1' } });
  const { env, dir, ledger, policy, state } = one;
  const parts: ProbeParts = {
    ...{ env, dataDir: dir, sandbox: sandbox(true) },
    ledger: async () => ledger,
    state: async () => state,
    policy: async () => policy,
    secrets: async () => undefined,
    stateHealth: async () => ({ engine: 'SQLite', persistence: 'a file' }),
    vaultHealth: async () => undefined,
    ...change,
  };
  return Object.fromEntries((await probeAll(parts, options)).map((result) => [result.probe, result]));
}

it('finds a healthy project healthy', async () => {
  const results = await probe();
  expect(Object.values(results).filter((result) => result.verdict !== 'ok')).toEqual([]);
  expect(results['ledger']).toMatchObject({
    figure: expect.stringMatching(/^1 entries, 0 open, on disk in \d/),
    facts: { entries: 1, open: 0, syncMs: expect.any(Number) },
  });
  expect(results['state']?.figure).toMatch(/^1 of 1 agents active, 0 running; SQLite, .* there and back, a file$/);
  expect(results['disk']?.figure).toMatch(/^\d+ MiB, \d+ inodes free$/);
  expect(results['signer'] ?? results['vault'] ?? results['kills']).toBeUndefined();
});

it('goes on after a probe that fails, and gives its remedy', async () => {
  const broken = new AgovError('STATE_CORRUPT', { what: 'The file is damaged.', fix: 'agov state rebuild' });
  const results = await probe({ state: () => Promise.reject(broken), sandbox: sandbox(false) });
  expect(results['state']).toMatchObject({
    verdict: 'fail',
    figure: 'The file is damaged.',
    remedy: 'agov state rebuild',
  });
  expect(results['sandbox']).toMatchObject({ verdict: 'fail', remedy: 'apt-get install bubblewrap' });
  expect(results['disk']?.verdict).toBe('ok');
});

it('warns when the clock has gone back behind the record', async () => {
  await probe();
  one?.env.setNow(one.env.now() - 3_600_000);
  const behind = '1h 00m behind the newest entry';
  expect((await probe())['clock']).toMatchObject({ verdict: 'warn', figure: expect.stringContaining(behind) });
});

it('warns when the clocks of the state server or of Vault are others, each way', async () => {
  await probe();
  const now = one?.env.now() ?? 0;
  const results = await probe({
    stateHealth: async () => ({ engine: 'Redis 7', persistence: 'no snapshot yet', at: now + 60_000 }),
    vaultHealth: async () => ({ state: 'active', version: '1.20', at: now - 120_000 }),
  });
  expect(results['clock']).toMatchObject({
    verdict: 'warn',
    figure: '0.0 ms behind the newest entry, 1m 00s behind the state server, 2m 00s ahead of Vault',
    facts: { entrySkewMs: 0, serverSkewMs: 60_000, vaultSkewMs: -119_500 },
  });
  expect(results['vault']).toMatchObject({ verdict: 'ok', figure: 'active, version 1.20' });
});

it.each([
  ['sealed', 'fail', 'vault operator unseal'],
  ['uninitialised', 'fail', 'vault operator init'],
  ['standby', 'warn', 'load balancer'],
  ['throttled', 'warn', 'quota'],
] as const)('tells that Vault is %s', async (state, verdict, remedy) => {
  const results = await probe({ vaultHealth: async () => ({ state }) });
  expect(results['vault']).toMatchObject({ verdict, remedy: expect.stringContaining(remedy) });
});

it('ends a probe that hangs at its deadline, and goes on', async () => {
  const hang = () => new Promise<never>(() => undefined);
  const results = await probe(
    { vaultHealth: hang, secrets: hang },
    {
      deadlineMs: 3000,
      onProbe: (name) => {
        // After the looks of its row have begun.
        if (name === 'vault') setImmediate(() => one?.env.advance(3000));
      },
    },
  );
  expect(results['vault']).toMatchObject({ verdict: 'fail', figure: 'No answer within 3.0 s.', ms: 3000 });
  expect(results['secrets']?.verdict).toBe('fail');
  expect(results['disk']?.verdict).toBe('ok');
});

it('tells of leases that live on, of kills that are not done, and of a key that does not sign', async () => {
  const lease = { id: 'a', path: 'dev/db', version: 1, intent: 'i', issuedAt: 0, expiresAt: 1 };
  const leases = [lease, { ...lease, id: 'b', unended: 'Vault says: connection refused.' }];
  const asked = (): never => {
    throw new Error('not asked');
  };
  const secrets: Secrets = {
    ...{ set: asked, remove: asked, lease: asked, renew: asked, end: asked },
    list: async () => [],
    leases: async () => leases,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const sealed = new AgovError('LEDGER_UNAVAILABLE', { what: 'Vault is sealed.', fix: 'Unseal it.' });
  const results = await probe({
    secrets: async () => secrets,
    unfinishedKills: async () => ['builder: processes on host b'],
    sign: () => Promise.reject(sealed),
  });
  expect(results['leases']).toMatchObject({
    verdict: 'warn',
    figure: '1 live, 1 that could not be ended',
    remedy: expect.stringContaining('connection refused'),
  });
  expect(results['kills']).toMatchObject({ verdict: 'fail', figure: '1 unfinished: builder: processes on host b' });
  expect(results['signer']).toMatchObject({ verdict: 'fail', figure: 'Vault is sealed.', remedy: 'Unseal it.' });
});

it.each([
  [{ freeBytes: 2 ** 30, freeInodes: 20_000 }, 'ok'],
  [{ freeBytes: 2 ** 30 }, 'ok'],
  [{ freeBytes: 2 ** 28, freeInodes: 20_000 }, 'warn'],
  [{ freeBytes: 2 ** 30, freeInodes: 9000 }, 'warn'],
  [{ freeBytes: 2 ** 23, freeInodes: 20_000 }, 'fail'],
  [{ freeBytes: 2 ** 30, freeInodes: 3 }, 'fail'],
])('judges a disk with %o: %s', (facts, verdict) => {
  expect(judgeDisk('/data', facts).verdict).toBe(verdict);
});
