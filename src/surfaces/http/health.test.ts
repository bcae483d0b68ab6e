/** Health on a socket whose path somebody has written into a file, and that others on the machine may lean on. */
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askStatus, type HealthSource, serveHealth } from './index.ts';

const source: HealthSource = {
  alive: () => true,
  status: () => ({ pid: 1, host: 'here', since: 'now', ready: true, reasons: [], breakers: [], chores: [] }),
};
let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'agov-health-'));
  path = join(dir, 'serve.sock');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const why = (text: string) => expect.objectContaining({ code: 'CONFIG_INVALID', why: expect.stringContaining(text) });

it('opens its socket to its owner alone, and takes it away', async () => {
  const endpoint = await serveHealth(path, source);
  expect(lstatSync(path).mode & 0o777).toBe(0o600);
  await endpoint[Symbol.asyncDispose]();
  expect(existsSync(path)).toBe(false);
});

it('leaves a file that is no socket as it is', async () => {
  writeFileSync(path, 'precious');
  await expect(serveHealth(path, source)).rejects.toEqual(why('no socket'));
  expect(readFileSync(path, 'utf8')).toBe('precious');
});

it('leaves a link as it is, wherever it leads', async () => {
  symlinkSync(join(dir, 'elsewhere.sock'), path);
  await expect(serveHealth(path, source)).rejects.toEqual(why('no socket'));
});

it('takes the place of a dead socket, and of no living one', async () => {
  const one = await serveHealth(path, source);
  await expect(serveHealth(path, source)).rejects.toEqual(why('listens there'));
  expect(await askStatus(path)).toMatchObject({ ready: true });
  await one[Symbol.asyncDispose]();
  // What a killed process leaves behind: a socket's file without its socket.
  const dead = createServer().listen(path);
  await once(dead, 'listening');
  const kept = join(dir, 'kept');
  linkSync(path, kept);
  dead.close();
  await once(dead, 'close');
  renameSync(kept, path);
  await using _two = await serveHealth(path, source);
  expect(await askStatus(path)).toMatchObject({ ready: true });
});

it('is not shut out for long by callers who never finish their question', async () => {
  await using _endpoint = await serveHealth(path, source);
  const slow: Socket[] = Array.from({ length: 32 }, () => connect(path));
  await Promise.all(slow.map((socket) => once(socket, 'connect')));
  for (const socket of slow) socket.on('error', () => undefined).write('GET /status HTTP/1.1\r\nx: ');
  expect(await askStatus(path)).toBeUndefined();
  await Promise.all(slow.map((socket) => once(socket.resume(), 'close')));
  expect(await askStatus(path)).toMatchObject({ ready: true });
}, 15_000);
