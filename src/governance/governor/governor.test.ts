import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Governed, type GovernedOptions, governed } from '../../../test/support/governed.ts';
import type { Intent } from '../../schemas/index.ts';

let open: Governed[] = [];
afterEach(async () => {
  for (const one of open.reverse()) await one[Symbol.asyncDispose]();
  open = [];
});
const setUp = async (options: GovernedOptions): Promise<Governed> => {
  const one = await governed(options);
  open.push(one);
  return one;
};
const write = (path: string): Intent => ({ action: 'fs.write', resource: path, args: {} });
const merge = (commit: string): Intent => ({ action: 'repo.merge', resource: 'main', args: { commit } });
const mergeFacts = { facts: { ownBranch: false, protectedBranch: true } };
const by = (operator: string) => ({ operator, user: operator, via: 'test' });

describe('begin and end', () => {
  it('records the intent before the effect and the outcome after it', async () => {
    const { governor, ledger, channel } = await setUp({ agents: { bob: 'T1' } });
    const order: string[] = [];
    const acted = await governor.act(channel('bob'), write('a.txt'), async (id) => {
      order.push(ledger.byId(id)?.kind ?? 'nothing');
      return { outcome: { status: 'ok', facts: { bytes: 1 } }, value: 42 };
    });
    order.push(ledger.query({ parent: acted.id })[0]?.kind ?? 'nothing');
    expect(order).toEqual(['intent', 'outcome']);
    expect(acted).toMatchObject({ verdict: 'allow', value: 42 });
    expect(ledger.openIds()).toEqual([]);
  });

  it('does not run the effect of what is denied, and records the denial', async () => {
    const { governor, ledger, channel } = await setUp({ agents: { eve: 'T0' } });
    let ran = false;
    const acted = await governor.act(channel('eve'), write('a.txt'), async () => {
      ran = true;
      return { outcome: { status: 'ok', facts: {} }, value: undefined };
    });
    expect(acted.verdict).toBe('deny');
    expect(ran).toBe(false);
    expect(ledger.byId(acted.id)?.body['decision']).toMatchObject({ verdict: 'deny', policies: ['ceiling/fs.write'] });
  });

  it('records an effect that throws as failed, and lets the error through', async () => {
    const { governor, ledger, channel } = await setUp({ agents: { bob: 'T1' } });
    const acting = governor.act(channel('bob'), write('a.txt'), () => Promise.reject(new Error('no paper')));
    await expect(acting).rejects.toThrow('no paper');
    const [outcome] = ledger.query({ kinds: ['outcome'] });
    expect(outcome?.body).toMatchObject({ status: 'failed', reason: 'no paper' });
  });

  it('gives an intent one outcome', async () => {
    const { governor, channel } = await setUp({ agents: { bob: 'T1' } });
    const begun = await governor.begin(channel('bob'), write('a.txt'));
    await governor.end(channel('bob'), begun.id, { status: 'ok', facts: {} });
    const again = governor.end(channel('bob'), begun.id, { status: 'failed', facts: {} });
    await expect(again).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
  });

  it('denies whoever is not registered', async () => {
    const { governor, channel } = await setUp({});
    const begun = await governor.begin(channel('ghost'), write('a.txt'));
    expect(begun).toMatchObject({ verdict: 'deny', decision: { reasons: ['There is no agent "ghost".'] } });
  });

  it('does nothing when the ledger cannot be written', async () => {
    const { governor, ledger, channel } = await setUp({ agents: { bob: 'T1' } });
    await ledger[Symbol.asyncDispose]();
    let ran = false;
    const acting = governor.act(channel('bob'), write('a.txt'), async () => {
      ran = true;
      return { outcome: { status: 'ok', facts: {} }, value: undefined };
    });
    await expect(acting).rejects.toThrow();
    expect(ran).toBe(false);
  });

  it('stops a run that is denied too often, whatever it asks then', async () => {
    const { governor, channel } = await setUp({ agents: { eve: 'T0' }, limits: { denialsPerRun: 2 } });
    const read: Intent = { action: 'fs.read', resource: 'a.txt', args: {} };
    expect((await governor.begin(channel('eve'), read)).verdict).toBe('allow');
    await governor.begin(channel('eve'), write('a'));
    await governor.begin(channel('eve'), write('b'));
    const begun = await governor.begin(channel('eve'), read);
    expect(begun).toMatchObject({ verdict: 'deny', decision: { reasons: [expect.stringContaining('denialsPerRun')] } });
    expect((await governor.begin(channel('eve', 'run-2'), read)).verdict).toBe('allow');
  });

  it('counts a run’s intents across a restart', async () => {
    const one = await setUp({ agents: { bob: 'T1' }, limits: { intentsPerRun: 2 } });
    await one.governor.begin(one.channel('bob'), write('a'));
    await one.governor.begin(one.channel('bob'), write('b'));
    const two = await one.reopen();
    open = [two];
    const begun = await two.governor.begin(two.channel('bob'), write('c'));
    expect(begun).toMatchObject({ verdict: 'deny', decision: { reasons: [expect.stringContaining('intentsPerRun')] } });
  });
});

describe('an outcome that a caller goes on before', () => {
  /** Acts, and tells what there was of the outcome when it answered. */
  const actEarly = async (
    { governor, ledger }: Governed,
    as: Parameters<Governed['governor']['act']>[0],
    effect: (id: string) => Promise<'ok' | 'failed'>,
  ) => {
    let recorded: Promise<void> | undefined;
    const early = {
      id: 'outcome-1',
      begun(promise: Promise<void>) {
        recorded = promise;
      },
    };
    const act = async (id: string) => ({ outcome: { status: await effect(id), facts: {} }, value: undefined });
    await governor.act(as, write('a.txt'), act, { early });
    return { there: ledger.query({ kinds: ['outcome'] }).length, recorded };
  };

  it('is on its way when the act is answered, under the id that was asked for', async () => {
    const one = await setUp({ agents: { bob: 'T1' } });
    const { there, recorded } = await actEarly(one, one.channel('bob'), async () => 'ok');
    expect(there).toBe(0);
    await recorded;
    expect(one.ledger.byId('outcome-1')).toMatchObject({ kind: 'outcome', body: { status: 'ok' } });
    expect(one.ledger.openIds()).toEqual([]);
  });

  it('is waited for where it went wrong, and where a budget is kept', async () => {
    const one = await setUp({ agents: { bob: 'T1' } });
    const failed = await actEarly(one, one.channel('bob'), async () => 'failed');
    expect(failed).toEqual({ there: 1, recorded: undefined });
    const budget = await one.budgets.openScope({ run: 'run-1', name: 'work', limits: { actions: 5 } });
    const paid = await actEarly(one, { ...one.channel('bob'), budget }, async () => 'ok');
    expect(paid).toEqual({ there: 2, recorded: undefined });
  });

  it('takes all that rests on it with it where it is refused', async () => {
    const one = await setUp({ agents: { bob: 'T1' } });
    const { recorded } = await actEarly(one, one.channel('bob'), async (id) => {
      // As a kill does.
      await one.governor.end(one.channel('bob'), id, { status: 'failed', facts: {} });
      return 'ok';
    });
    const next = one.ledger.append({ kind: 'run', run: 'run-1', body: {}, after: ['outcome-1'] });
    await expect(recorded).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
    await expect(next).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

describe('where a path leads', () => {
  it.each([
    ['a symlink out of the workspace', (ws: string) => symlinkSync('/etc', join(ws, 'out')), 'out/passwd'],
    ['a symlink to a file that is not there yet', (ws: string) => symlinkSync('/etc/new-file', join(ws, 'out')), 'out'],
    ['dots', () => undefined, '../../etc/passwd'],
    ['an absolute path', () => undefined, '/etc/passwd'],
    ['the data folder', () => undefined, '.agov/ledger.db'],
    ['git’s own files', () => undefined, '.git/config'],
    ['the configuration', (ws: string) => writeFileSync(join(ws, 'agov.yaml'), ''), 'agov.yaml'],
    [
      'a symlink to the configuration',
      (ws: string) => {
        writeFileSync(join(ws, 'agov.yaml'), '');
        symlinkSync('agov.yaml', join(ws, 'innocent'));
      },
      'innocent',
    ],
    ['a loop of symlinks', (ws: string) => symlinkSync('loop', join(ws, 'loop')), 'loop'],
  ])('denies writing through %s', async (_what, prepare, path) => {
    const { governor, channel } = await setUp({ agents: { bob: 'T1' } });
    prepare(channel('bob').workspace);
    expect(await governor.begin(channel('bob'), write(path))).toMatchObject({ verdict: 'deny' });
    expect(await governor.begin(channel('bob'), write('plain.txt'))).toMatchObject({ verdict: 'allow' });
  });
});

describe('an approval', () => {
  const asked = async (one: Governed, intent = merge('c0ffee')) => {
    const begun = await one.governor.begin(one.channel('tom'), intent, mergeFacts);
    if (begun.verdict !== 'ask') throw new Error(`expected a question, got ${begun.verdict}`);
    return begun.approval;
  };
  const t2 = { agents: { tom: 'T2' } } as const;

  it('lets exactly the intent through that it was given for, once', async () => {
    const one = await setUp(t2);
    const approval = await asked(one);
    await one.approvals.approve(approval.id, by('ada'), one.policy.version);
    expect((await one.governor.begin(one.channel('tom'), merge('badcafe'), mergeFacts)).verdict).toBe('ask');
    expect((await one.governor.begin(one.channel('tom'), merge('c0ffee'), mergeFacts)).verdict).toBe('allow');
    expect((await one.governor.begin(one.channel('tom'), merge('c0ffee'), mergeFacts)).verdict).toBe('ask');
  });

  it('does not serve another agent', async () => {
    const one = await setUp({ agents: { tom: 'T2', tim: 'T2' } });
    const approval = await asked(one);
    await one.approvals.approve(approval.id, by('ada'), one.policy.version);
    expect((await one.governor.begin(one.channel('tim'), merge('c0ffee'), mergeFacts)).verdict).toBe('ask');
  });

  it('survives a restart, also half given', async () => {
    const one = await setUp(t2);
    const approval = await asked(one);
    await one.approvals.approve(approval.id, by('ada'), one.policy.version);
    const two = await one.reopen();
    open = [two];
    expect((await two.governor.begin(two.channel('tom'), merge('c0ffee'), mergeFacts)).verdict).toBe('allow');
  });

  it('is not asked twice while it waits', async () => {
    const one = await setUp(t2);
    const [first, second] = [await asked(one), await asked(one)];
    expect(second.id).toBe(first.id);
    expect(one.approvals.pending()).toHaveLength(1);
  });

  it('expires', async () => {
    const one = await setUp({ ...t2, approvalTtlMs: 60_000 });
    const approval = await asked(one);
    await one.approvals.approve(approval.id, by('ada'), one.policy.version);
    one.env.advance(60_001);
    expect((await one.governor.begin(one.channel('tom'), merge('c0ffee'), mergeFacts)).verdict).toBe('ask');
    const late = one.approvals.approve(approval.id, by('grace'), one.policy.version);
    await expect(late).rejects.toMatchObject({ code: 'APPROVAL_INVALID' });
    expect(await one.approvals.expire()).toBe(1);
  });

  it('does not hold under another policy', async () => {
    const one = await setUp(t2);
    const approval = await asked(one);
    const changed = one.approvals.approve(approval.id, by('ada'), 'f'.repeat(64));
    await expect(changed).rejects.toMatchObject({ code: 'APPROVAL_INVALID', why: expect.stringContaining('policy') });
  });

  it('counts different operators, not consents', async () => {
    const one = await setUp(t2);
    const begun = await one.governor.begin(one.channel('tom'), merge('c0ffee'), { ...mergeFacts, requireApprovals: 2 });
    if (begun.verdict !== 'ask') throw new Error(begun.verdict);
    expect(begun.decision.quorum).toBe(2);
    await one.approvals.approve(begun.approval.id, by('ada'), one.policy.version);
    const twice = one.approvals.approve(begun.approval.id, by('ada'), one.policy.version);
    await expect(twice).rejects.toMatchObject({ code: 'CONFLICT' });
    const gate = { ...mergeFacts, requireApprovals: 2 };
    expect((await one.governor.begin(one.channel('tom'), merge('c0ffee'), gate)).verdict).toBe('ask');
    await one.approvals.approve(begun.approval.id, by('grace'), one.policy.version);
    expect((await one.governor.begin(one.channel('tom'), merge('c0ffee'), gate)).verdict).toBe('allow');
  });

  it('is gone once denied', async () => {
    const one = await setUp(t2);
    const approval = await asked(one);
    await one.approvals.deny(approval.id, by('ada'), 'not today');
    const late = one.approvals.approve(approval.id, by('grace'), one.policy.version);
    await expect(late).rejects.toMatchObject({ code: 'APPROVAL_INVALID', why: 'It was denied.' });
  });

  it('goes to one of two takers at the same moment', async () => {
    const one = await setUp(t2);
    const approval = await asked(one);
    await one.approvals.approve(approval.id, by('ada'), one.policy.version);
    const both = await Promise.allSettled([
      one.governor.begin(one.channel('tom'), merge('c0ffee'), mergeFacts),
      one.governor.begin(one.channel('tom'), merge('c0ffee'), mergeFacts),
    ]);
    const allowed = both.filter((end) => end.status === 'fulfilled' && end.value.verdict === 'allow');
    expect(allowed).toHaveLength(1);
  });

  it('is asked by a gate where no policy asks', async () => {
    const one = await setUp({ agents: { bob: 'T1' } });
    const begun = await one.governor.begin(one.channel('bob'), write('a.txt'), { requireApprovals: 1 });
    expect(begun).toMatchObject({ verdict: 'ask', decision: { quorum: 1 } });
  });
});

describe('settle', () => {
  it('leaves the intents of living governors alone', async () => {
    const { governor, ledger, channel } = await setUp({ agents: { bob: 'T1' } });
    await governor.begin(channel('bob'), write('a.txt'));
    expect(await governor.settle()).toBe(0);
    expect(ledger.openIds()).toHaveLength(1);
  });
});
