import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { holdProject, readHolder } from './index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agov-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const holder = { pid: 42, host: 'here', since: '2026-01-01T00:00:00.000Z', address: '/tmp/socket' };

it('lets one hold a project, tells the next who does, and is free after', () => {
  const held = holdProject(dir);
  expect(() => holdProject(dir)).toThrow('It has just begun');
  held.announce(holder);
  expect(readHolder(dir)).toEqual(holder);
  expect(() => holdProject(dir)).toThrow('Process 42 on here does, since 2026-01-01');
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  expect(readHolder(dir)).toBeUndefined();
  holdProject(dir)[Symbol.dispose]();
});

it('is free as soon as its holder was killed', async () => {
  const program = `import { holdProject } from ${JSON.stringify(import.meta.resolve('./lock.ts'))};
    holdProject(process.argv[1]).announce(${JSON.stringify(holder)});
    console.log('held');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(() => holdProject(dir)).toThrow('Process 42');
  child.kill('SIGKILL');
  await once(child, 'exit');
  holdProject(dir)[Symbol.dispose]();
});
