import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { ListedWorker } from '../../adapters/queue/port.ts';
import { openEmbeddedSecrets } from '../../adapters/secrets/embedded/index.ts';
import type { Tool } from '../../adapters/tools/port.ts';
import type { Statement } from '../../governance/budgets/index.ts';
import type { Explanation } from '../../governance/policy/index.ts';
import { AgovError, idSource, Secret } from '../../kernel/index.ts';
import type { Decision, Pipeline } from '../../schemas/index.ts';
import { outlookOf, parsePipeline } from '../../work/pipeline/index.ts';
import { isAtLeast } from './checks/programs.ts';
import { admit, type Check, type Preflight, type PreflightParts, preflight } from './index.ts';

let one: Governed | undefined;
afterEach(async () => {
  await one?.[Symbol.asyncDispose]();
  one = undefined;
});

const git = {
  name: 'git.merge',
  summary: '',
  needs: [{ program: 'git', install: 'Install it.', version: { least: '2.38', args: [], pattern: /version (\S+)/ } }],
} as unknown as Tool; // nothing else of it is looked at

async function partsOf(change: Partial<PreflightParts> = {}): Promise<PreflightParts> {
  one ??= await governed({ agents: { builder: 'T1' } });
  const { env, ledger, state, governor } = one;
  const { workspace } = one.channel('builder');
  return {
    env,
    config: { operators: [{ name: 'ada', roles: [] }], preflight: { waivable: [], disk: 1000, deadline: '5s' } },
    root: workspace,
    tools: new Map([['git.merge', git]]),
    locate: (program) => (program.startsWith('no') ? undefined : `/usr/bin/${program}`),
    versionText: async () => 'git version 2.40.1',
    ledger: async () => ledger,
    agents: () => state.registry.list(),
    governor: async () => governor,
    explainAgent: async () => () => Promise.reject(new AgovError('NOT_FOUND', { what: 'Not looked at here.' })),
    explainTool: async () => () => Promise.reject(new AgovError('TOOL_FAILED', { what: 'Not looked at here.' })),
    secrets: async () => undefined,
    workspace: async () => workspace,
    treeState: async () => ({ changed: 0, unknown: 0, first: [] }),
    environmentOf: async (_workspace, dir) => (dir === 'live' ? 'prod' : 'dev'),
    lockHolder: async () => undefined,
    budgets: async () => [],
    workers: async () => [],
    probe: async (probe) =>
      probe === 'signer' ? undefined : { probe, verdict: 'ok', figure: 'fine', ms: 1, facts: { freeBytes: 5000 } },
    ...change,
  };
}

function pipelineOf(stages: string): Pipeline {
  return pipelineFrom(`stages:\n${stages}`);
}

function pipelineFrom(rest: string): Pipeline {
  const text = `apiVersion: agov/v1\nkind: Pipeline\nname: p\n${rest}`;
  const loose = { safeParse: (data: unknown) => ({ success: true, data }) } as never; // arguments are another test's
  const tools = new Map(
    ['git.merge', 'terraform.plan', 'terraform.apply'].map((name) => [name, { ...git, name, args: loose }]),
  );
  const parsed = parsePipeline(text, 'p.yaml', { agents: undefined, tools });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.pipeline;
}

async function look(stages: string, change: Partial<PreflightParts> = {}): Promise<Record<string, Check[]>> {
  const found = await preflight(await partsOf(change), outlookOf(pipelineOf(stages), {}), new AbortController().signal);
  return Object.groupBy(found.checks, ({ name }) => name) as Record<string, Check[]>;
}

const plain = '  a: { agent: builder, run: [echo] }\n';

it('finds nothing where nothing is wrong', async () => {
  const found = Object.values(await look(plain)).flat();
  expect(found.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(found).toHaveLength(15);
});

it('holds a check that hangs to its deadline, and tells the others all the same', async () => {
  const parts = await partsOf({ treeState: () => new Promise(() => undefined) });
  const looked = preflight(parts, outlookOf(pipelineOf(plain), {}), new AbortController().signal);
  // Its deadline is the only timer that is not another's.
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  one?.env.advance(5000);
  const { status, checks } = await looked;
  expect(status).toBe('failed');
  expect(checks.filter((check) => check.status !== 'ok')).toMatchObject([
    { name: 'workspaces', what: 'No answer within 5.0 s.' },
  ]);
});

it('fails a part that throws by what it says, and goes on', async () => {
  const broken = new AgovError('STATE_UNAVAILABLE', { what: 'No answer.', why: 'It is down.', fix: 'Start it.' });
  const found = await look(plain, {
    agents: () => Promise.reject(broken),
    secrets: () => Promise.reject(new Error('x')),
  });
  const told = { status: 'failed', what: 'No answer.', why: 'It is down.', fix: 'Start it.' };
  expect([found['agents'], found['policy']]).toMatchObject([[told], [told]]);
  expect(found['disk']?.[0]?.status).toBe('ok');
});

describe('programs and tools', () => {
  it('fails one that is missing, and warns where an earlier stage may make it or a condition may spare it', async () => {
    const { programs = [] } = await look(
      `${plain}  b: { agent: builder, run: [none] }
  c: { agent: builder, needs: [a], run: [no/built] }
  d: { agent: builder, run: [nowhere], when: "run.id != ''" }
  e: { agent: builder, run: [nothing], expect: denied }\n`,
    );
    expect(programs.map(({ status, what }) => `${status} ${what.split('"')[1]}`)).toEqual([
      'failed b',
      'warn c',
      'warn d',
    ]);
  });

  it.each([
    ['git version 2.37.9', 'failed'],
    ['git version 2.38.0', 'ok'],
    ['git version 3', 'ok'],
    ['something else', 'warn'],
  ])('judges "%s"', async (text, status) => {
    const merge = '  m: { agent: builder, uses: git.merge, with: { branch: a, into: b } }\n';
    expect((await look(merge, { versionText: async () => text }))['tools']?.[0]?.status).toBe(status);
  });

  it.each([
    ['2.38', '2.38', true],
    ['2.4', '2.38', false],
    ['10.0', '9.9.9', true],
    ['1.5.0-rc1', '1.5', true],
    ['2', '2.0.1', false],
  ])('%s is at least %s: %s', (found, least, is) => {
    expect(isAtLeast(found, least)).toBe(is);
  });
});

describe('secrets', () => {
  const stored = async (...paths: readonly string[]): Promise<Partial<PreflightParts>> => {
    one ??= await governed({ agents: { builder: 'T1' } });
    const { env, dir } = one;
    const files = { path: join(dir, 'secrets.db'), keyPath: join(dir, 'secrets.key') };
    const store = await openEmbeddedSecrets({ ...files, env, ids: idSource(env) });
    for (const path of paths) await store.set(path, new Secret('value'));
    return { secrets: async () => store };
  };
  const stage = (path: string) => `  a: { agent: builder, run: [echo], secrets: { KEY: ${path} } }\n`;

  it('asks for names and reach, and leases nothing', async () => {
    const parts = await stored('dev/key', 'prod/key');
    expect((await look(stage('dev/key'), parts))['secrets']).toMatchObject([{ status: 'ok' }]);
    const wrong = async (path: string) => (await look(stage(path), parts))['secrets'];
    expect(await wrong('dev/kye')).toMatchObject([
      { status: 'failed', what: expect.stringContaining('not stored'), fix: expect.stringContaining('"dev/key"') },
    ]);
    expect(await wrong('prod/key')).toMatchObject([
      { status: 'failed', what: expect.stringContaining('would not get') },
    ]);
    expect(await (await parts.secrets?.())?.leases()).toEqual([]);
    expect(one?.ledger.query({ kinds: ['intent', 'secret'] })).toEqual([]);
  });
});

it('fails where more operators must consent than there are', async () => {
  const asks = (quorum: number): Partial<PreflightParts> => {
    const decision: Decision = { verdict: 'ask', policies: [], reasons: ['It asks.'], quorum, policyVersion: 'v' };
    const explained: Explanation = { decision, determining: [], tiers: [], nearest: [], sentences: [] };
    return { explainTool: async () => async () => explained };
  };
  const merge = '  m: { agent: builder, uses: git.merge, with: { branch: a, into: b } }\n';
  const statuses = async (quorum: number) =>
    (await look(merge, asks(quorum)))['approvals']?.map(({ status }) => status);
  expect(await statuses(1)).toEqual(['warn']);
  expect(await statuses(2)).toEqual(['failed', 'warn']);
  const gated = merge.replace(' }\n', ', gate: { approval: { roles: [release] } } }\n');
  const { approvals = [] } = await look(gated, asks(1));
  expect(approvals[0]).toMatchObject({ status: 'failed', what: expect.stringContaining('who are release') });
});

it('tells which environments are reached, and warns of production', async () => {
  const { plans = [] } = await look(
    `  p: { agent: builder, uses: terraform.plan, with: { dir: live } }
  d: { agent: builder, uses: terraform.apply, with: { dir: dev } }
  l: { agent: builder, uses: terraform.apply, with: { dir: live } }\n`,
  );
  expect(plans.map(({ status, what }) => [status, what])).toEqual([
    ['ok', 'Stage "p" plans in live, which is prod.'],
    ['ok', 'Stage "d" applies a plan in dev, which is dev.'],
    ['warn', 'Stage "l" applies a plan in live, which is prod.'],
  ]);
});

it('tells who holds what a stage wants, and refuses only where a group does not wait', async () => {
  const text = (busy: string) =>
    `concurrency: { group: "deploy-\${{ params.env }}", busy: ${busy} }\nparameters: { env: { default: dev } }\nstages:\n`;
  const asked: string[] = [];
  const told = async (busy: string, holder: string | undefined) => {
    const whole = pipelineFrom(
      `${text(busy)}  a: { agent: builder, run: [echo], locks: ["db/\${{ params.env }}"] }
  b: { agent: builder, matrix: { n: [x] }, run: [echo], locks: ["host/\${{ matrix.n }}"] }\n`,
    );
    const lockHolder = async (name: string) => {
      asked.push(name);
      return holder;
    };
    const { checks } = await preflight(
      await partsOf({ lockHolder }),
      outlookOf(whole, { env: 'dev' }),
      new AbortController().signal,
    );
    return checks.flatMap(({ name, status }) => (name === 'locks' ? [status] : []));
  };
  expect(await told('wait', undefined)).toEqual(['ok']);
  expect(asked).toEqual(['pipeline-group/deploy-dev', 'pipeline/db/dev']);
  expect(await told('wait', 'agent builder run r1')).toEqual(['warn', 'warn']);
  expect(await told('cancel', 'run r1')).toEqual(['warn', 'warn']);
  expect(await told('refuse', 'run r1')).toEqual(['failed', 'warn']);
});

it('warns where workers are to do it and none takes work', async () => {
  const worker = (silentMs: number, order: ListedWorker['order']): ListedWorker => ({
    ...{ name: 'w1', host: 'h', boot: 'b', pid: 1, started: '1', version: '1', format: 1, key: 'k' },
    ...{ concurrency: 1, running: 0, since: 0, silentMs, order },
  });
  const told = async (engine: 'bullmq' | undefined, ...workers: readonly ListedWorker[]) => {
    const parts = await partsOf({ workers: async () => workers });
    const found = await preflight(parts, outlookOf(pipelineOf(plain), {}, engine), new AbortController().signal);
    return found.checks.find(({ name }) => name === 'workers')?.what;
  };
  expect(await told(undefined)).toContain('in this process');
  expect(await told('bullmq')).toContain('No worker is there');
  expect(await told('bullmq', worker(60_000, 'go'))).toContain('heard of 1m 00s ago');
  expect(await told('bullmq', worker(100, 'pause'))).toContain('take nothing: w1');
  expect(await told('bullmq', worker(100, 'pause'), worker(100, 'go'))).toBe('w1: there.');
});

it('fails a run that goes on with nothing left to spend, and asks a new one nothing', async () => {
  const statement = (key: string, left: number): Statement => {
    const none = { actions: 0, tokens: 0, moneyMicros: 0 };
    const of = {
      id: key,
      name: key,
      run: 'r',
      agent: undefined,
      key,
      parent: undefined,
      account: key,
      openedAt: 0,
    };
    return {
      ...of,
      limits: { tokens: 100 },
      used: { ...none, ms: 0 },
      reserved: none,
      unknown: none,
      left: { tokens: left },
    };
  };
  const statuses = async (resumes: boolean, ...statements: readonly Statement[]) => {
    const parts = await partsOf({ budgets: async () => statements });
    const outlook = { ...outlookOf(pipelineOf(plain), {}), run: 'r', resumes };
    const { checks } = await preflight(parts, outlook, new AbortController().signal);
    return checks.flatMap(({ name, status }) => (name === 'budget' ? [status] : []));
  };
  expect(await statuses(true, statement('run', 50), statement('stage:a', 11))).toEqual(['ok']);
  expect(await statuses(true, statement('run', 5), statement('stage:a', 0))).toEqual(['warn', 'failed']);
  expect(await statuses(true, statement('stage:done', 0))).toEqual(['ok']);
  expect(await statuses(false, statement('run', 0))).toEqual(['ok']);
});

it('counts what is more than ten of a kind', async () => {
  const stages = Array.from({ length: 30 }, (_, i) => `  s${i}: { agent: builder, run: [none] }\n`).join('');
  const { programs = [] } = await look(stages);
  expect(programs).toHaveLength(11);
  expect(programs.at(-1)).toMatchObject({ status: 'failed', what: 'And 20 more of the kind.' });
});

describe('admitting', () => {
  const found = (...checks: readonly (readonly [Check['name'], Check['status']])[]): Preflight => ({
    status: 'failed',
    checks: checks.map(([name, status]) => ({ name, status, what: `${name}.`, ms: 1 })),
    ms: 1,
  });
  const failed = found(['disk', 'failed'], ['ledger', 'failed'], ['plans', 'warn']);

  it('needs a reason, and a check that may be passed over', () => {
    const refused = { code: 'PREFLIGHT_FAILED' };
    expect(() => admit(failed, { reason: undefined, waivable: ['disk', 'ledger'] })).toThrow(
      expect.objectContaining(refused),
    );
    expect(() => admit(failed, { reason: 'so', waivable: ['disk'] })).toThrow(expect.objectContaining(refused));
    const waived = { checks: ['disk', 'ledger'], reason: 'so' };
    expect(admit(failed, { reason: 'so', waivable: ['disk', 'ledger'] })).toEqual({ status: 'failed', waived });
  });

  it('keeps no reason that was not needed', () => {
    expect(admit({ ...found(['plans', 'warn']), status: 'warn' }, { reason: 'so', waivable: [] })).toEqual({
      status: 'warn',
    });
  });
});
