import { afterEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { Sandbox } from '../../adapters/sandbox/port.ts';
import { AgovError } from '../../kernel/index.ts';
import { type ProbeParts, type ProbeResult, probeAll } from './index.ts';

let one: Governed | undefined;
afterEach(async () => {
  await one?.[Symbol.asyncDispose]();
  one = undefined;
});

const sandbox = (ok: boolean): Sandbox => ({
  kind: 'bubblewrap',
  locate: () => undefined,
  health: async () => ({ ok, detail: ok ? 'bubblewrap 1.0' : 'apt-get install bubblewrap' }),
  start: () => Promise.reject(new Error('not asked')),
});

async function probe(change: Partial<ProbeParts> = {}): Promise<Record<string, ProbeResult>> {
  one ??= await governed({ agents: { bob: 'T1' } });
  const { env, dir, ledger, policy, state } = one;
  const parts: ProbeParts = {
    ...{ env, dataDir: dir, sandbox: sandbox(true) },
    ledger: async () => ledger,
    state: async () => state,
    policy: async () => policy,
    secrets: async () => undefined,
    ...change,
  };
  return Object.fromEntries((await probeAll(parts)).map((result) => [result.probe, result]));
}

it('finds a healthy project healthy', async () => {
  const results = await probe();
  expect(Object.values(results).filter((result) => result.verdict !== 'ok')).toEqual([]);
  expect(results['ledger']?.figure).toBe('1 entries, 0 open');
  expect(results['state']?.figure).toBe('1 of 1 agents active, 0 running');
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
  expect((await probe())['clock']).toMatchObject({ verdict: 'warn', figure: expect.stringContaining('1h 00m behind') });
});
