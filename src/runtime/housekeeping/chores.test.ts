import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Governed, governed } from '../../../test/support/governed.ts';
import type { LeaseInfo, Secrets } from '../../adapters/secrets/port.ts';
import { governorMark } from '../../governance/governor/index.ts';
import { type Ledger, loadKey, openLedger, verifyExport } from '../../governance/ledger/index.ts';
import { idSource, isAgovError } from '../../kernel/index.ts';
import { ledgerRoster } from '../../work/agents/index.ts';
import { type ChoreParts, choresOf } from './index.ts';

let one: Governed;
let folder: string;
beforeEach(async () => {
  one = await governed({ agents: { bob: 'T1', eve: 'T1' }, approvalTtlMs: 60_000 });
  folder = mkdtempSync(join(tmpdir(), 'agov-chores-'));
});
afterEach(async () => {
  await one[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function run(name: string, change: Partial<ChoreParts> = {}): Promise<string | undefined> {
  const parts: ChoreParts = {
    ...{ env: one.env, host: 'here' },
    ledger: async () => one.ledger,
    state: async () => one.state,
    roster: async () => ledgerRoster(one.ledger, one.state.registry),
    approvals: async () => one.approvals,
    secrets: async () => undefined,
    look: async () => undefined,
    ...change,
  };
  const chores = choresOf(parts, { everyMs: 1, healthEveryMs: 1, memoryEveryMs: 1, publish: { folder, everyMs: 1 } });
  const chore = chores.find((known) => known.name === name);
  if (!chore) throw new Error(`no chore ${name}`);
  return chore.run();
}

const reading = { action: 'fs.read', resource: 'README.md', args: {} } as const;

function secretsWith(leases: readonly Partial<LeaseInfo>[]) {
  const ended: string[] = [];
  const asked = (): never => {
    throw new Error('not asked');
  };
  const store: Secrets = {
    ...{ set: asked, list: asked, remove: asked, lease: asked, renew: asked },
    leases: async () =>
      leases.map((lease) => ({
        id: 'a',
        path: 'dev/db',
        version: 1,
        intent: 'i',
        issuedAt: 0,
        expiresAt: 1,
        ...lease,
      })),
    async end(id) {
      ended.push(id);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { secrets: async () => store, ended };
}

it('fills a registry that lies about an agent from the ledger', async () => {
  const bob = await one.state.registry.get('bob');
  if (bob) await one.state.registry.put({ ...bob, tier: 'T2' });
  expect(await run('roster')).toBe('1 agents brought in line with the ledger');
  expect((await one.state.registry.get('bob'))?.tier).toBe('T1');
  expect(await run('roster')).toBeUndefined();
});

it('settles what a dead governor left open, and leaves a living one alone', async () => {
  const mine = await one.governor.begin(one.channel('bob'), reading);
  const body = one.ledger.byId(mine.id)?.body;
  const dead = { ...governorMark(), boot: 'an earlier one' };
  const { id } = await one.ledger.append({
    kind: 'intent',
    agent: 'bob',
    run: 'run-2',
    body: { ...body, governor: dead },
    opens: true,
  });
  expect(await run('intents')).toBe('1 open intents of dead governors settled as unknown');
  expect(one.ledger.query({ parent: id })[0]?.body['status']).toBe('unknown');
  expect(one.ledger.openIds()).toEqual([mine.id]);
});

it('closes approvals whose time is over', async () => {
  const intent = { action: 'repo.merge', resource: 'main', args: { branch: 'x', into: 'main' } } as const;
  const subject = { agent: 'bob', intent, workspace: '/w', policyVersion: 'a'.repeat(64), tier: 'T1' } as const;
  await one.approvals.ask(subject, 1, []);
  expect(await run('approvals')).toBeUndefined();
  one.env.advance(60_001);
  expect(await run('approvals')).toBe('1 approvals expired');
  expect(one.ledger.openIds()).toEqual([]);
});

it('ends a lease whose intent is over, records that, and leaves those that serve somebody', async () => {
  const [over, open] = [
    await one.governor.begin(one.channel('bob'), reading),
    await one.governor.begin(one.channel('bob'), reading),
  ];
  await one.governor.end(one.channel('bob'), over.id, { status: 'ok', facts: {} });
  const { secrets, ended } = secretsWith([
    { id: 'forgotten', intent: over.id },
    { id: 'serving', intent: open.id },
    { id: 'of-another-ledger', intent: 'not-here' },
    { id: 'tried-by-listing', intent: over.id, unended: 'Vault says no.' },
  ]);
  expect(await run('leases', { secrets })).toBe('1 forgotten leases ended');
  expect(ended).toEqual(['forgotten']);
  const [entry] = one.ledger.query({ kinds: ['secret'] });
  expect(entry).toMatchObject({ parent: over.id, agent: 'bob', run: 'run-1', body: { step: 'ended', path: 'dev/db' } });
  expect(JSON.stringify(entry)).not.toContain('forgotten"');
});

/** The record as it was at its second entry, as after a restored backup that nobody told of. */
async function cutRecord(): Promise<Ledger> {
  const path = join(folder, 'cut.db');
  const db = new DatabaseSync(join(one.dir, 'ledger.db'));
  db.exec(`VACUUM INTO '${path}'`);
  db.close();
  await one.ledger.append({ kind: 'run', run: 'run-1', body: {} });
  await run('head');
  const key = loadKey(join(one.dir, 'ledger.key'));
  return openLedger({ path, key, env: one.env, ids: idSource(one.env) });
}

it('publishes the head to the state, and says so when the record has become shorter than that', async () => {
  await run('head');
  const item = await one.state.board.get('ledger/head/here');
  expect(item?.value).toMatchObject({ note: one.ledger.head().note });
  await run('head');
  expect((await one.state.board.get('ledger/head/here'))?.version).toBe(1);
  await using shorter = await cutRecord();
  const error = await run('head', { ledger: async () => shorter }).catch((thrown: unknown) => thrown);
  expect(isAgovError(error, 'LEDGER_BROKEN') && error.why).toContain('It holds 2 entries, but a head');
});

it('publishes tiles that verify, only when there is something new, and never over a log that this one does not continue', async () => {
  expect(await run('tiles')).toBe(`2 entries published in ${folder}`);
  expect(await run('tiles')).toBeUndefined();
  await using shorter = await cutRecord();
  await run('tiles');
  const published = readFileSync(join(folder, 'checkpoint'), 'utf8');
  await expect(run('tiles', { ledger: async () => shorter })).rejects.toMatchObject({ code: 'LEDGER_BROKEN' });
  expect(readFileSync(join(folder, 'checkpoint'), 'utf8')).toBe(published);
  writeFileSync(join(folder, 'checkpoint'), 'torn');
  await expect(run('tiles')).rejects.toMatchObject({ code: 'LEDGER_BROKEN' });
  expect(verifyExport(folder, [])).toMatchObject({ ok: false });
});

it('finishes revocations where it is told how', async () => {
  expect(await run('kills', { retryKills: async () => 2 })).toBe('2 revocations finished');
});
