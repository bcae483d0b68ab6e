/** Real processes that begin together on a store that is not there yet: one key, no lost secret, no lost version. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { idSource, systemEnv } from '../../../kernel/index.ts';
import type { Secrets } from '../port.ts';
import { openEmbeddedSecrets } from './index.ts';

const worker = fileURLToPath(new URL('../../../../test/support/secrets-worker.ts', import.meta.url));
const env = systemEnv();
const use = { ttlMs: 1000, intent: 'intent-1' };
let folder: string;
let path: string;
let keyPath: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agov-secrets-'));
  path = join(folder, 'secrets.db');
  keyPath = join(folder, 'keys', 'secrets.key');
});
afterEach(() => rmSync(folder, { recursive: true }));

function start(name: string, times: number) {
  return spawn(process.execPath, [worker, path, keyPath, name, String(times)], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function open(): Promise<Secrets> {
  return openEmbeddedSecrets({ path, keyPath, env, ids: idSource(env) });
}

it('agree on one key, and keep every version and lease', async () => {
  await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (name) => {
      const child = start(name, 10);
      const [faults, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
      expect({ code, faults }).toEqual({ code: 0, faults: '' });
    }),
  );
  await using secrets = await open();
  expect(await secrets.list()).toHaveLength(41);
  expect(await secrets.list('shared')).toMatchObject([{ version: 40 }]);
  expect(await secrets.leases()).toHaveLength(40);
  expect((await secrets.lease('c/7', use)).value.reveal()).toBe('value of c 7');
});

it('keep what was acknowledged when they are killed in the middle', async () => {
  const acknowledged: string[] = [];
  await Promise.all(
    ['a', 'b'].map(async (name) => {
      const child = start(name, 100_000);
      const closed = once(child, 'close');
      for await (const line of createInterface({ input: child.stdout })) {
        if (acknowledged.push(line) >= 30) child.kill('SIGKILL');
      }
      await closed;
    }),
  );
  await using secrets = await open();
  // The kill may cut the last line short: a shorter number was acknowledged before.
  for (const name of acknowledged.filter((line) => /^[ab]\/\d+$/.test(line))) {
    const value = `value of ${name.replace('/', ' ')}`;
    expect((await secrets.lease(name, use)).value.reveal()).toBe(value);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(30);
});
