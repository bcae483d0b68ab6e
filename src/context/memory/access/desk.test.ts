/** What agents may do with the memory, through a real governor; and what they try. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Governed, governed } from '../../../../test/support/governed.ts';
import type { Governor } from '../../../governance/governor/index.ts';
import { idSource } from '../../../kernel/index.ts';
import { type Desk, deskOf, type Memory, openMemory, type Writer } from '../index.ts';

let one: Governed;
let folder: string;
let memory: Memory;
let ann: Desk;
let bob: Desk;
let operator: Desk;

beforeEach(async () => {
  // The name is no accident: whoever is called like the beginning of a space owns none by it.
  one = await governed({ agents: { ann: 'T0', bob: 'T1', agent: 'T1', team: 'T1' } });
  folder = mkdtempSync(join(tmpdir(), 'agov-desk-'));
  memory = await openMemory({ path: join(folder, 'memory.db'), env: one.env, ids: idSource(one.env) });
  ann = desk('ann', ['release']);
  bob = desk('bob');
  operator = deskOf(parts(), { operator: 'ada', user: 'ada' });
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const parts = () => ({ memory, ledger: async () => one.ledger, onSecret: 'redact' as const });
const desk = (name: string, teams: readonly string[] = []): Desk =>
  deskOf(parts(), { channel: one.channel(name), governor: one.governor, teams });

async function* text(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content);
}

const denied = { code: 'DENIED' };

it('gives each agent a space of its own, and each use is an intent with an outcome', async () => {
  const entry = await ann.log(text('the walnut is in the cellar\n'), { title: 'cellar' });
  expect(entry).toMatchObject({ space: 'agent/ann', agent: 'ann', run: 'run-1' });
  expect((await ann.list({ limit: 5 })).entries).toHaveLength(1);
  expect((await bob.list({ limit: 5 })).entries).toEqual([]);
  expect((await bob.search({ text: 'walnut', limit: 5 })).hits).toEqual([]);
  const intents = one.ledger
    .query({ kinds: ['intent'], agent: 'ann' })
    .map(({ body }) => `${body['action']} ${body['resource']}`);
  expect(intents).toEqual(['memory.write agent/ann', 'memory.read agent/ann', 'memory.read team/release']);
  expect(one.ledger.openIds()).toEqual([]);
});

it('lets a team share one, and nobody else in', async () => {
  await ann.log(text('shared\n'), { space: 'team/release' });
  expect((await desk('bob', ['release']).list({ limit: 5 })).entries).toHaveLength(1);
  await expect(bob.list({ limit: 5, space: 'team/release' })).rejects.toMatchObject(denied);
  await expect(bob.log(text('x'), { space: 'team/release' })).rejects.toMatchObject(denied);
});

describe('an agent that wants out', () => {
  it.each(['agent/ann', 'project', 'team/release', 'team/ann'])('is denied %s', async (space) => {
    for (const asker of [bob, desk('agent'), desk('team')]) {
      await expect(asker.list({ limit: 5, space })).rejects.toMatchObject(denied);
      await expect(asker.search({ text: 'x', limit: 5, space })).rejects.toMatchObject(denied);
      await expect(asker.log(text('x'), { space })).rejects.toMatchObject(denied);
      await expect(asker.stats({ space })).rejects.toMatchObject(denied);
      await expect(asker.fetch('abcd', { space }, async () => 1)).rejects.toMatchObject(denied);
    }
  });

  it('is denied by the governor itself where it asks without the memory', async () => {
    for (const [agent, resource, verdict] of [
      ['agent', 'agent/ann', 'deny'],
      ['ann', 'agent/ann', 'allow'],
      ['ann', 'ann', 'deny'],
    ] as const) {
      const asked = await one.governor.begin(one.channel(agent), { action: 'memory.read', resource, args: {} });
      expect(asked.verdict).toBe(verdict);
    }
  });

  it.each(['agent/../project', 'agent/', 'AGENT/ann', 'agent/ann/x', '', 'project '])(
    'finds no space "%s"',
    async (space) => {
      await expect(bob.list({ limit: 5, space })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    },
  );

  it('cannot tell whether another has an entry, nor link to it, nor erase it', async () => {
    const { id } = await ann.log(text('private\n'), {});
    const own = await bob.log(text('mine\n'), {});
    const missing = { code: 'NOT_FOUND', what: `There is no entry "${id}" here.` };
    await expect(bob.fetch(id, {}, async () => 1)).rejects.toMatchObject(missing);
    await expect(bob.link(own.id, id, 'fixes')).rejects.toMatchObject(missing);
    await expect(bob.forget(id, 'because')).rejects.toMatchObject(missing);
    await expect(bob.list({ limit: 5, before: id })).rejects.toMatchObject(missing);
    expect(memory.find(['agent/ann'], id).id).toBe(id);
  });

  it('does nothing any more once it is frozen', async () => {
    await one.ledger.append({
      kind: 'agent',
      agent: 'bob',
      tier: 'T1',
      body: { step: 'revoked', tier: 'T1', operator: 'ada', user: 'ada', reason: 'test' },
    });
    await expect(bob.log(text('late\n'), {})).rejects.toMatchObject(denied);
    expect(memory.list(['agent/bob'], { limit: 5 }).entries).toEqual([]);
  });
});

it('records what is forgotten: before and after, with its hash and never its content', async () => {
  const entry = await operator.log(text('the walnut\n'), { title: 'cellar' });
  await operator.forget(entry.id, 'holds personal data');
  const told = one.ledger.query({ kinds: ['memory'] });
  expect(told.map(({ body }) => body['step'])).toEqual(['forget', 'forgotten']);
  expect(told[0]?.body).toMatchObject({
    id: entry.id,
    sha256: entry.sha256,
    operator: 'ada',
    reason: 'holds personal data',
  });
  expect(told[1]?.parent).toBe(told[0]?.id);
  expect(JSON.stringify(told)).not.toMatch(/walnut|cellar/);
  expect(one.ledger.verify().ok).toBe(true);
});

describe('a summary by a model', () => {
  const asked: string[] = [];
  const writer: Writer = {
    model: 'writer',
    mostLetters: 1000,
    most: () => ({ tokens: 2000, moneyMicros: 20 }),
    async write({ text: material }) {
      asked.push(material);
      return { text: 'About a walnut.', spent: { tokens: 321, moneyMicros: 5 } };
    },
  };
  const withWriter = (name: string): Desk =>
    deskOf({ ...parts(), writer }, { channel: one.channel(name), governor: one.governor, teams: [] });
  const { signal } = new AbortController();
  const calls = () => one.ledger.query({ kinds: ['intent'] }).filter(({ body }) => body['action'] === 'model.call');

  it('is for an agent an intent, with the tokens that it took, and what is long is shortened', async () => {
    const { id } = await bob.log(text(`walnut ${'filler words. '.repeat(400)} the end\n`), { title: 'w' });
    const told = await withWriter('bob').summary(id, 'short', {}, signal);
    expect(told).toMatchObject({ text: 'About a walnut.', model: 'writer' });
    expect(told.read).toBeLessThan(0.5);
    expect(asked.at(-1)).toMatch(/^walnut .*\n\[…\]\n.* the end\n$/);
    const [call] = calls();
    expect(call).toMatchObject({ agent: 'bob', body: { resource: 'writer', args: { op: 'summarize' } } });
    expect(one.ledger.query({ parent: call?.id ?? '' })[0]?.body).toMatchObject({
      status: 'ok',
      spent: { tokens: 321, moneyMicros: 5 },
    });
  });

  it('is not asked for where the agent may not use the model, which gets the content’s own sentences', async () => {
    const mine = await ann.log(text('The walnut is in the cellar.\n'), { title: 'w' });
    const before = asked.length;
    // As a rule of the project would have it: an observer's wish to write is refused at every time.
    const governor: Pick<Governor, 'act'> = {
      act: (channel, intent, ...more) =>
        intent.action === 'model.call'
          ? one.governor.act(channel, { action: 'fs.write', resource: 'x', args: {} }, ...more)
          : one.governor.act(channel, intent, ...more),
    };
    const refused = deskOf({ ...parts(), writer }, { channel: one.channel('ann'), governor, teams: [] });
    const told = await refused.summary(mine.id, 'short', {}, signal);
    expect(asked.length).toBe(before);
    expect(told.model).toBeUndefined();
    expect(told).toMatchObject({ text: 'The walnut is in the cellar.', instead: expect.stringContaining('writer') });
  });

  it('of another’s entry is not told, nor is the model asked', async () => {
    const { id } = await ann.log(text('The walnut is in the cellar.\n'), { title: 'w' });
    const before = asked.length;
    await expect(withWriter('bob').summary(id, 'short', {}, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(withWriter('bob').summary(id, 'short', { space: 'agent/ann' }, signal)).rejects.toMatchObject(denied);
    expect(asked.length).toBe(before);
  });

  it('of bytes is none', async () => {
    const { id } = await bob.log(text('\u0000\u0001\u0002'), { title: 'b' });
    expect(await withWriter('bob').summary(id, 'short', {}, signal)).toMatchObject({
      text: 'Binary content of 3 bytes.',
    });
  });
});
