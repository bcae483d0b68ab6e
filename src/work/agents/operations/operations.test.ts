/** What an agent may ask: bounded, judged, recorded below the intent of its process, and refused once it is revoked. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Governed, governed } from '../../../../test/support/governed.ts';
import type { ToolCall } from '../../../adapters/tools/port.ts';
import { fileArtifacts } from '../../../governance/evidence/index.ts';
import { idSource, type Json, systemEnv } from '../../../kernel/index.ts';
import { type AgentOperations, createOperations, type OperationParts, runSlots, type Seat } from './index.ts';

let one: Governed;
let parts: OperationParts;
beforeEach(async () => {
  one = await governed({ agents: { obs: 'T0', bob: 'T1', eve: 'T1' } });
  const { ledger, state, approvals, governor, budgets } = one;
  parts = {
    ...{ ledger, state, approvals, governor, budgets, env: systemEnv(), tools: new Map(), slots: runSlots(2) },
    artifacts: fileArtifacts(`${one.dir}/artifacts`, idSource(one.env)),
    exec: () => Promise.reject(new Error('not here')),
    useTool: () => Promise.reject(new Error('not here')),
    explainTool: () => Promise.reject(new Error('not here')),
  };
});
afterEach(() => one[Symbol.asyncDispose]());

const seat = (agent: string): Seat => ({ channel: one.channel(agent), parent: 'the-process' });
const asking = (agent: string): AgentOperations => createOperations(parts, seat(agent));
const never = new AbortController().signal;
async function ask(
  of: AgentOperations,
  name: string,
  input: unknown = {},
  signal = never,
): Promise<Record<string, Json>> {
  const operation = of.table.get(name);
  if (!operation) throw new Error(`no operation ${name}`);
  const answer = await operation.perform(input, { signal });
  expect(operation.output.safeParse(answer).error).toBeUndefined();
  return answer as Record<string, Json>;
}
const entries = (kind: 'intent' | 'outcome' | 'violation') => one.ledger.query({ kinds: [kind] });

it('hangs every intent below the process that asks', async () => {
  await ask(asking('bob'), 'board.set', { key: 'a', value: 1 });
  await ask(asking('bob'), 'board.get', { key: 'a' });
  expect(entries('intent').map(({ parent, run, agent }) => [parent, run, agent])).toEqual([
    ['the-process', 'run-1', 'bob'],
    ['the-process', 'run-1', 'bob'],
  ]);
});

describe('an asker', () => {
  it.each([{ agent: 'eve' }, { run: 'other' }, { tier: 'T4' }, { operator: 'ada' }, { workspace: '/' }])(
    'that claims %j is refused, and it is on record',
    async (claim) => {
      const invalid = { code: 'INPUT_INVALID' };
      await expect(ask(asking('bob'), 'board.set', { key: 'a', value: 1, ...claim })).rejects.toMatchObject(invalid);
      expect(entries('violation')).toMatchObject([{ agent: 'bob', parent: 'the-process' }]);
      expect(entries('intent')).toEqual([]);
    },
  );

  it('cannot fill the record with claims', async () => {
    const bob = asking('bob');
    for (let i = 0; i < 40; i++) await ask(bob, 'whoami', { agent: 'eve' }).catch(() => undefined);
    expect(entries('violation')).toHaveLength(20);
  });

  it('that was revoked is refused, also what needs no intent', async () => {
    const bob = asking('bob');
    const agent = await one.state.registry.get('bob');
    if (!agent) throw new Error('no bob');
    await one.state.registry.put({ ...agent, status: 'revoked' });
    for (const name of ['whoami', 'tools', 'renew', 'locks']) {
      await expect(ask(bob, name, {})).rejects.toMatchObject({ code: 'AGENT_NOT_ACTIVE' });
    }
  });

  it('is held to a pace', async () => {
    const bob = asking('bob');
    const asked = Array.from({ length: 1000 }, () => ask(bob, 'whoami'));
    const refused = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(500);
    expect(refused[0]).toMatchObject({ reason: { code: 'TOO_MANY_REQUESTS' } });
  });

  it('starts no more at once than its run may, whichever socket it asks over', async () => {
    const waiting = Promise.withResolvers<never>();
    parts = { ...parts, exec: () => waiting.promise };
    const [first, second] = [asking('bob'), asking('bob')];
    const running = [first, second].map((of) => ask(of, 'exec', { argv: ['sleep', '9'] }));
    await expect(ask(second, 'exec', { argv: ['true'] })).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    waiting.reject(new Error('over'));
    await Promise.allSettled(running);
    await expect(ask(first, 'exec', { argv: ['true'] })).rejects.toThrow('over');
  });
});

describe('the board', () => {
  it('keeps what an observer may read and not write', async () => {
    await ask(asking('bob'), 'board.set', { key: 'plan/step', value: { done: [1] } });
    expect(await ask(asking('obs'), 'board.get', { key: 'plan/step', space: 'bob' })).toMatchObject({
      item: { value: { done: [1] }, version: 1 },
    });
    expect(await ask(asking('obs'), 'board.set', { key: 'mine', value: 1 })).toMatchObject({ verdict: 'deny' });
  });

  it.each([
    { key: '../bob/a' },
    { key: 'a/../../bob/a' },
    { key: '/a' },
    { key: 'a//b' },
    { key: 'а' }, // cyrillic
    { key: 'a\u0000b' },
    { key: 'a', space: 'eve/../bob' },
    { key: 'a', space: 'ｅve' }, // full width
    { key: 'a', space: '' },
  ])('takes no key that could lead elsewhere: %j', async (where) => {
    const asked = ask(asking('eve'), 'board.set', { value: 1, ...where });
    await expect(asked).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(entries('intent')).toEqual([]);
  });

  it('lets nobody write the space of somebody else, nor of one whose name begins like theirs', async () => {
    await ask(asking('bob'), 'board.set', { key: 'a', value: 'bob' });
    for (const space of ['bob', 'eve-2', 'ev']) {
      const told = await ask(asking('eve'), 'board.set', { key: 'a', value: 'eve', space });
      expect(told).toMatchObject({ verdict: 'deny', reasons: [expect.any(String)] });
    }
    expect(await ask(asking('eve'), 'board.remove', { key: 'a', space: 'bob', expected: 1 })).toMatchObject({
      verdict: 'deny',
    });
    expect(await ask(asking('bob'), 'board.get', { key: 'a' })).toMatchObject({ item: { value: 'bob', version: 1 } });
  });

  it('compares before it sets', async () => {
    const bob = asking('bob');
    expect(await ask(bob, 'board.set', { key: 'a', value: 1, expected: 0 })).toMatchObject({
      written: true,
      version: 1,
    });
    expect(await ask(bob, 'board.set', { key: 'a', value: 2, expected: 0 })).toMatchObject({ written: false });
    expect(await ask(bob, 'board.set', { key: 'a', value: 3 })).toMatchObject({ version: 2 });
    expect(await ask(bob, 'board.remove', { key: 'a', expected: 1 })).toMatchObject({ removed: false });
    expect(await ask(bob, 'board.remove', { key: 'a', expected: 2 })).toMatchObject({ removed: true });
    expect(await ask(bob, 'board.get', { key: 'a' })).not.toHaveProperty('item');
  });

  it('keeps what was written by its digest, and not in the entry', async () => {
    await ask(asking('bob'), 'board.set', { key: 'a', value: 'a private matter' });
    expect(JSON.stringify(one.ledger.query({}))).not.toContain('private matter');
    const [artifact] = entries('outcome').flatMap(({ artifacts = [] }) => artifacts);
    expect((await parts.artifacts.get(artifact?.sha256 ?? '')).toString()).toBe('"a private matter"');
  });

  it('lists a space in pages', async () => {
    const bob = asking('bob');
    for (const key of ['list/b', 'list/a', 'other']) await ask(bob, 'board.set', { key, value: 'x'.repeat(60_000) });
    for (const key of ['c', 'd', 'e']) await ask(bob, 'board.set', { key, value: 'x'.repeat(60_000) });
    expect(await ask(bob, 'board.list', { prefix: 'list' })).toMatchObject({
      items: [{ key: 'list/a' }, { key: 'list/b' }],
      more: false,
    });
    const first = await ask(bob, 'board.list');
    const keys = (page: Record<string, Json>) => (page['items'] as { key: string }[]).map(({ key }) => key);
    expect(first['more']).toBe(true);
    const rest = await ask(bob, 'board.list', { after: keys(first).at(-1) });
    expect([...keys(first), ...keys(rest)]).toEqual(['c', 'd', 'e', 'list/a', 'list/b', 'other']);
  });

  it('counts what is there, and not what was tried', async () => {
    const bob = asking('bob');
    await ask(bob, 'board.set', { key: 'a', value: 1 });
    for (let i = 0; i < 3; i++) await ask(bob, 'board.set', { key: 'a', value: 2, expected: 0 });
    expect(await one.state.counters.get('board:bob')).toBe(1);
    await ask(bob, 'board.remove', { key: 'a', expected: 1 });
    expect(await one.state.counters.get('board:bob')).toBe(0);
  });

  it('has an end', async () => {
    await one.state.counters.add('board:bob', 1000);
    await expect(ask(asking('bob'), 'board.set', { key: 'a', value: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await one.state.counters.get('board:bob')).toBe(1000);
  });
});

describe('a lock', () => {
  it('is one agent’s at a time, and its intent is open as long as it is held', async () => {
    const [bob, eve] = [asking('bob'), asking('eve')];
    const mine = await ask(bob, 'lock', { name: 'db' });
    expect(mine).toMatchObject({ held: true });
    expect(one.ledger.openIds()).toContain(mine['intent']);
    expect(await ask(eve, 'lock', { name: 'db' })).toMatchObject({ held: false, holder: 'agent bob run run-1' });
    expect(await ask(bob, 'unlock', { name: 'db', token: mine['token'] })).toEqual({ released: true });
    expect(one.ledger.openIds()).not.toContain(mine['intent']);
    expect(await ask(eve, 'lock', { name: 'db' })).toMatchObject({ held: true });
  });

  it('is neither released nor renewed by another, who may guess its token', async () => {
    const { token } = await ask(asking('bob'), 'lock', { name: 'db' });
    for (const other of [asking('eve'), asking('bob')]) {
      expect(await ask(other, 'unlock', { name: 'db', token })).toEqual({ released: false });
      expect(await ask(other, 'renew', { name: 'db', token })).toEqual({ held: false });
    }
    expect((await one.state.locks.holder('db'))?.token).toBe(token);
  });

  it('is released when the process that holds it ends', async () => {
    const bob = asking('bob');
    const { intent } = await ask(bob, 'lock', { name: 'db' });
    await bob[Symbol.asyncDispose]();
    expect(await one.state.locks.holder('db')).toBeUndefined();
    expect(one.ledger.openIds()).not.toContain(intent);
  });

  it('is waited for, until whoever waits has gone', async () => {
    const [bob, eve] = [asking('bob'), asking('eve')];
    const { token } = await ask(bob, 'lock', { name: 'db' });
    const gone = new AbortController();
    const left = ask(eve, 'lock', { name: 'db', waitMs: 50_000 }, gone.signal);
    gone.abort();
    expect(await left).toMatchObject({ held: false });
    const waiting = ask(eve, 'lock', { name: 'db', waitMs: 50_000 });
    await ask(bob, 'unlock', { name: 'db', token });
    expect(await waiting).toMatchObject({ held: true });
    expect(one.ledger.openIds()).toHaveLength(1);
  });

  it('that was lost is told, and on record', async () => {
    const bob = asking('bob');
    const { token, intent } = await ask(bob, 'lock', { name: 'db' });
    await one.state.locks.release('db', Number(token));
    expect(await ask(bob, 'renew', { name: 'db', token })).toEqual({ held: false });
    expect(entries('outcome')).toMatchObject([{ parent: intent, body: { status: 'failed' } }]);
  });

  it('is not for an observer', async () => {
    expect(await ask(asking('obs'), 'lock', { name: 'db' })).toMatchObject({ verdict: 'deny' });
    expect(await one.state.locks.held()).toEqual([]);
  });
});

describe('waiting for an operator', () => {
  const question = async (agent: string) => {
    const { governor, approvals } = one;
    const intent = { action: 'infra.apply', resource: 'dev', args: {} } as const;
    const plan = { environment: 'dev', creates: 1, changes: 0, destroys: 0 };
    const begun = await governor.begin(one.channel(agent), intent, { facts: { plan } });
    if (begun.verdict !== 'ask') throw new Error(begun.verdict);
    return { id: begun.approval.id, approvals, version: governor.policyVersion };
  };

  it('ends with what they said', async () => {
    const by = { operator: 'ada', via: 'test', user: 'ada' };
    const { id, approvals, version } = await question('bob');
    const bob = asking('bob');
    expect(await ask(bob, 'wait', { approval: id, timeoutMs: 0 })).toEqual({ state: 'open', consents: 0 });
    const waiting = ask(bob, 'wait', { approval: id });
    await approvals.approve(id, by, version);
    expect(await waiting).toEqual({ state: 'granted', consents: 1 });
    await approvals.deny(id, by, 'no');
    expect(await ask(bob, 'wait', { approval: id })).toEqual({ state: 'denied', consents: 0 });
  });

  it('tells nothing of what others have asked', async () => {
    const { id } = await question('bob');
    const missing = { code: 'NOT_FOUND' };
    await expect(ask(asking('eve'), 'wait', { approval: id })).rejects.toMatchObject(missing);
    await expect(ask(asking('eve'), 'wait', { approval: 'x' })).rejects.toMatchObject(missing);
  });
});

it('names the tool that was probably meant', async () => {
  const tool = {
    name: 'git.commit',
    summary: '',
    args: {} as never,
    prepare: () => Promise.reject<ToolCall>(new Error()),
  };
  parts = { ...parts, tools: new Map([[tool.name, tool]]) };
  const asked = ask(asking('bob'), 'act', { tool: 'git.comit' });
  await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND', fix: 'Did you mean "git.commit"?' });
});
