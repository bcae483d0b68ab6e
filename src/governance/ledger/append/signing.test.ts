/** A ledger whose key is in Vault: what holds while Vault is asked, is away, or has another key. */
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { draft, fill, ledgerFolder } from '../../../../test/support/ledger.ts';
import { type TransitFolder, transitFolder } from '../../../../test/support/transit-ledger.ts';
import { operate, swapKey } from '../../../../test/support/vault/transit.ts';
import { idSource, systemEnv } from '../../../kernel/index.ts';
import { type Ledger, loadPinned, openLedger, verifierKeyLine, verifyExport } from '../index.ts';

const deadlineMs = 1000;
let folder: TransitFolder;
let ledger: Ledger;
beforeEach(async () => {
  folder = await transitFolder({ deadlineMs });
  ledger = await folder.open();
});
afterEach(() => folder[Symbol.asyncDispose]());

describe('a record with its key in Vault', () => {
  it('verifies, exports and proves with the pinned public key, and without Vault', async () => {
    await fill(ledger, 300);
    const signed = folder.signatures();
    folder.vault.fault = () => true;
    await using reader = await folder.openReadOnly();
    expect(reader.verify()).toMatchObject({ ok: true, size: 300 });
    const key = loadPinned(folder.pin).verifier;
    const dir = join(folder.dir, 'export');
    await reader.exportTo(dir);
    expect(verifyExport(dir, [key])).toMatchObject({ ok: true, size: 300 });
    expect(verifierKeyLine(key)).toMatch(/^example\.com\/test\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/);
    expect(reader.proveInclusion(7)).toContain('example.com/test');
    expect(folder.signatures()).toBe(signed);
  });

  it('asks once for all appends of a turn, and once more for those that came meanwhile', async () => {
    const before = folder.signatures();
    const held = folder.hold();
    const first = Array.from({ length: 50 }, (_, i) => ledger.append(draft(i)));
    await held.asked;
    const second = Array.from({ length: 50 }, (_, i) => ledger.append(draft(i)));
    held.answer();
    await Promise.all([...first, ...second]);
    // The held one is asked for twice, by its redirect.
    expect(folder.signatures() - before).toBe(3);
    expect(ledger.verify()).toMatchObject({ ok: true, size: 100 });
  });

  it('refuses what a batch may not hold, beside what it may, and asks nothing for refusals alone', async () => {
    const open = await ledger.append(draft(0, { id: 'one', opens: true, claim: 'c' }));
    const before = folder.signatures();
    const answers = await Promise.allSettled([
      ledger.append(draft(1, { claim: 'c' })),
      ledger.append(draft(1, { closes: open.id })),
      ledger.append(draft(1, { closes: open.id })),
      ledger.append(draft(1, { id: 'one' })),
      ledger.append(draft(1, { claim: 'd' })),
    ]);
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.seq : answer.reason.code))).toEqual([
      'LEDGER_CLAIMED',
      1,
      'LEDGER_CLAIMED',
      'CONFLICT',
      2,
    ]);
    expect(folder.signatures()).toBe(before + 1);
    await expect(ledger.append(draft(1, { claim: 'd' }))).rejects.toMatchObject({ code: 'LEDGER_CLAIMED' });
    expect(folder.signatures()).toBe(before + 1);
    expect(ledger.verify()).toMatchObject({ ok: true, size: 3 });
  });
});

describe('while Vault is asked', () => {
  it('nobody sees an entry that is under no head, nothing is locked, and the process goes on', async () => {
    await fill(ledger, 3);
    const { note } = ledger.head();
    await using reader = await folder.openReadOnly();
    const held = folder.hold();
    const pending = ledger.append(draft(9, { id: 'pending', opens: true, run: 'pending' }));
    await held.asked;
    let turns = 0;
    while (turns < 20) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
      for (const log of [ledger, reader]) {
        expect([log.head().note, log.get(3), log.byId('pending')]).toEqual([note, undefined, undefined]);
        expect([log.query({ run: 'pending' }), log.openIds(), log.stats().entries]).toEqual([[], [], 3]);
        expect(log.verify()).toMatchObject({ ok: true, size: 3 });
      }
    }
    held.answer();
    expect(await pending).toMatchObject({ seq: 3 });
    expect([ledger.openIds(), reader.openIds()]).toEqual([['pending'], ['pending']]);
  });

  it('another process that does not get its turn goes on without it, and the first one signs anew', async () => {
    await using other = await folder.open();
    const held = folder.hold();
    const first = ledger.append(draft(0, { id: 'first' }));
    await held.asked;
    // The first holds the turn for as long as it is not answered.
    expect(await other.append(draft(1, { id: 'second' }))).toMatchObject({ seq: 0 });
    held.answer();
    expect(await first).toMatchObject({ seq: 1 });
    expect(other.verify()).toMatchObject({ ok: true, size: 2 });
  });

  it('the others wait for their turn, so that no signature is for nothing', async () => {
    await using other = await folder.open();
    const before = folder.signatures();
    for (let n = 0; n < 10; n++) await Promise.all([ledger.append(draft(n)), other.append(draft(n))]);
    expect(folder.signatures() - before).toBe(20);
    expect(ledger.verify()).toMatchObject({ ok: true, size: 20 });
  });

  it('closing answers what was appended before', async () => {
    const pending = ledger.append(draft(0));
    await ledger[Symbol.asyncDispose]();
    expect(await pending).toMatchObject({ seq: 0 });
  });
});

describe('a Vault that is away', () => {
  const silent = (): boolean => true;

  it.each([
    ['sealed', () => Object.assign(folder.vault, { sealed: true }), 'sealed'],
    ['silent', () => Object.assign(folder.vault, { fault: silent }), `${deadlineMs} ms`],
  ])(
    '%s: every append fails in time and leaves nothing, and the next works once it is back',
    async (_how, harm, why) => {
      await fill(ledger, 2);
      const before = ledger.head();
      harm();
      const began = performance.now();
      const first = ledger.append(draft(2, { claim: 'c' })).catch((error: unknown) => error);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      const behind = ledger.append(draft(3)).catch((error: unknown) => error);
      for (const answer of [await first, await behind]) {
        expect(answer).toMatchObject({ code: 'LEDGER_UNAVAILABLE', message: expect.stringContaining(why) });
      }
      expect(performance.now() - began).toBeLessThan(1.5 * deadlineMs);
      expect([ledger.head(), ledger.get(2)]).toEqual([before, undefined]);
      Object.assign(folder.vault, { sealed: false, fault: undefined });
      expect(await ledger.append(draft(2, { claim: 'c' }))).toMatchObject({ seq: 2 });
      expect(ledger.verify()).toMatchObject({ ok: true, size: 3 });
    },
  );

  it('is told in time to a process too that has waited for its turn', async () => {
    await using other = await folder.open();
    folder.vault.fault = silent;
    const began = performance.now();
    const failed = (log: Ledger) => expect(log.append(draft(0))).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await Promise.all([failed(ledger), failed(other)]);
    expect(performance.now() - began).toBeLessThan(1.35 * deadlineMs);
  });

  it('makes no new ledger, and makes it once it is back', async () => {
    await using fresh = await transitFolder({ deadlineMs });
    await (await fresh.open())[Symbol.asyncDispose]();
    const path = join(fresh.dir, 'second.db');
    const key = { ...loadPinned(fresh.pin).verifier, deadlineMs };
    const env = systemEnv();
    const away = { ...key, signElsewhere: () => Promise.reject(new Error('away')) };
    await expect(openLedger({ path, key: away, env, ids: idSource(env) })).rejects.toThrow('away');
    const back = { ...key, signElsewhere: async () => readFileSync(join(fresh.dir, 'keys', 'head'), 'utf8') };
    await using made = await openLedger({ path, key: back, env, ids: idSource(env) });
    expect(made.verify()).toMatchObject({ ok: true, size: 0 });
  });
});

describe('a key that is not the pinned one', () => {
  it('is refused when it was swapped, and nothing of it is stored', async () => {
    await fill(ledger, 2);
    await swapKey(folder.vault);
    await expect(ledger.append(draft(2))).rejects.toMatchObject({
      code: 'KEY_INVALID',
      what: expect.stringContaining(loadPinned(folder.pin).verifier.id),
    });
    await expect(ledger.trySigning()).rejects.toMatchObject({ code: 'KEY_INVALID' });
    await using reader = await folder.openReadOnly();
    expect(reader.verify()).toMatchObject({ ok: true, size: 2 });
  });

  it('is not needed after a rotation: the pinned version goes on signing', async () => {
    await operate(folder.vault, 'POST', 'transit/keys/ledger/rotate');
    await fill(ledger, 2);
    expect(ledger.verify()).toMatchObject({ ok: true, size: 2 });
  });

  it('is refused when Vault signs with a later version all the same, or something else', async () => {
    const other = Buffer.from(readFileSync(folder.pin)).subarray(0, 64).toString('base64');
    for (const version of [1, 2]) {
      folder.vault.fault = (_path, response) => {
        response.end(JSON.stringify({ data: { signature: `vault:v${version}:${other}` } }));
        return true;
      };
      await expect(ledger.append(draft(0))).rejects.toMatchObject({ code: 'KEY_INVALID' });
    }
    expect(ledger.head().size).toBe(0);
  });

  it('continues no ledger that a key file has signed', async () => {
    using local = ledgerFolder();
    await (await local.open())[Symbol.asyncDispose]();
    const key = {
      ...loadPinned(folder.pin).verifier,
      deadlineMs,
      signElsewhere: () => Promise.reject(new Error('asked')),
    };
    const env = systemEnv();
    await expect(openLedger({ path: local.path, key, env, ids: idSource(env) })).rejects.toMatchObject({
      code: 'KEY_INVALID',
    });
  });
});

describe('the pinned key', () => {
  it('is of its owner alone, and stays what it was', async () => {
    expect(statSync(folder.pin).mode & 0o777).toBe(0o600);
    const before = readFileSync(folder.pin, 'utf8');
    await operate(folder.vault, 'POST', 'transit/keys/ledger/rotate');
    await (await folder.open())[Symbol.asyncDispose]();
    expect(readFileSync(folder.pin, 'utf8')).toBe(before);
  });

  it('is not pinned before it has signed', async () => {
    await using fresh = await transitFolder({ deadlineMs });
    fresh.vault.tokens.policies.set('weak', { 'transit/keys/ledger': ['read'] });
    for (const token of fresh.vault.tokens.live.values()) Object.assign(token, { policy: 'weak' });
    await expect(fresh.open()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(statSync(fresh.pin, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('is refused when others may write it, or it is none', () => {
    const sound = readFileSync(folder.pin, 'utf8');
    chmodSync(folder.pin, 0o620);
    expect(() => loadPinned(folder.pin)).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', fix: expect.stringContaining('chmod 600') }),
    );
    chmodSync(folder.pin, 0o644);
    expect(loadPinned(folder.pin).version).toBe(1);
    for (const bad of [
      '',
      '{}',
      sound.replace('example.com', 'example.org'),
      sound.replace('1', '0'),
      sound.replace('{', '{"more": 1,'),
    ]) {
      writeFileSync(folder.pin, bad);
      expect(() => loadPinned(folder.pin), bad).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    }
  });
});

describe('trying the signature', () => {
  it('asks Vault, stores nothing, and tells when the key cannot sign', async () => {
    await fill(ledger, 2);
    const before = [ledger.head(), folder.signatures()] as const;
    await ledger.trySigning();
    expect([ledger.head(), folder.signatures()]).toEqual([before[0], before[1] + 1]);
    folder.vault.sealed = true;
    await expect(ledger.trySigning()).rejects.toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      why: expect.stringContaining('sealed'),
    });
  });
});
