/**
 * The memory: a stream piped into `agov memory log` as a user pipes it, with what the process held in main memory at its
 * most, and searches over many chunks by words of every frequency.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openMemory } from '../../src/context/memory/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';
import { setup as build } from '../../test/support/build.ts';
import { quantile, realDisk } from '../disk.ts';
import { logText, note, numbers, question } from './text.ts';

export interface ContextSize {
  /** Piped into `log`. */
  readonly megabytes: number;
  /** Searched. */
  readonly chunks: number;
}

export interface MemoryBench {
  readonly log: {
    readonly megabytes: number;
    readonly megabytesPerSecond: number;
    readonly peakRssMegabytes: number;
    readonly targetMegabytesPerSecond: 50;
    readonly targetRssMegabytes: 300;
    /** The same bytes into a process that drops them. */
    readonly reference: { readonly pipeMegabytesPerSecond: number };
  };
  readonly search: {
    readonly chunks: number;
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly targetP95Ms: 20;
    readonly queries: number;
    /** The slowest of them. */
    readonly slowestMs: number;
    /** One word that is in nearly all chunks. */
    readonly commonWordMs: number;
    /** Processes that wanted a core at the end, in the mean of a minute: what was measured waited for them too. */
    readonly loadAverage: number;
    readonly indexedPerSecond: number;
    readonly fileMegabytes: number;
  };
}

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const mebi = 1024 * 1024;
const queries = 400;

export async function benchMemory(size: ContextSize): Promise<MemoryBench> {
  build();
  const folder = mkdtempSync(join(realDisk(), 'agov-bench-memory-'));
  try {
    return { log: await benchLog(folder, size.megabytes), search: await benchSearch(folder, size.chunks) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function benchLog(folder: string, megabytes: number): Promise<MemoryBench['log']> {
  const project = join(folder, 'project');
  mkdirSync(project);
  const environment = { PATH: process.env['PATH'], HOME: folder, XDG_CONFIG_HOME: join(folder, 'keys') };
  const start = (program: readonly string[]) =>
    spawn(process.execPath, [...program], { cwd: project, env: environment, stdio: ['pipe', 'ignore', 'inherit'] });
  const init = start([main, 'init', '--operator', 'ada']);
  init.stdin.end();
  await once(init, 'close');
  const bare = await piped(start(['-e', 'process.stdin.resume()']), megabytes);
  const logged = await piped(start([main, 'memory', 'log', '--title', 'bench']), megabytes);
  return {
    megabytes,
    megabytesPerSecond: logged.megabytesPerSecond,
    peakRssMegabytes: logged.peakRssMegabytes,
    targetMegabytesPerSecond: 50,
    targetRssMegabytes: 300,
    reference: { pipeMegabytesPerSecond: bare.megabytesPerSecond },
  };
}

/** A new stretch of log each time: numbers at the beginning of each 4 KiB make it no copy of the one before. */
async function piped(child: ReturnType<typeof spawn>, megabytes: number) {
  const { stdin, pid } = child;
  if (!stdin || pid === undefined) throw new Error('the process has no input');
  const text = Buffer.from(logText(8 * mebi, 7)).subarray(0, 8 * mebi);
  const closed = once(child, 'close');
  const begun = performance.now();
  let peak = 0;
  for (let sent = 0; sent < megabytes; sent += 8) {
    const stretch = Buffer.from(text);
    for (let at = 0; at < stretch.length; at += 4096) stretch.write(`${sent}:${at}`.padEnd(16), at, 'latin1');
    for (let at = 0; at < stretch.length; at += 65_536) {
      if (!stdin.write(stretch.subarray(at, at + 65_536))) await once(stdin, 'drain');
    }
    peak = Math.max(peak, peakRss(pid));
  }
  peak = Math.max(peak, peakRss(pid));
  stdin.end();
  const [code] = await closed;
  if (code !== 0) throw new Error(`it ended with ${code}`);
  const seconds = (performance.now() - begun) / 1000;
  return { megabytesPerSecond: Math.round(megabytes / seconds), peakRssMegabytes: Math.round(peak / 1024) };
}

/** KiB. */
function peakRss(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

async function benchSearch(folder: string, chunks: number): Promise<MemoryBench['search']> {
  const env = systemEnv();
  const path = join(folder, 'memory.db');
  await using memory = await openMemory({ path, env, ids: idSource(env) });
  const next = numbers(11);
  const inEntry = 2000;
  const begun = performance.now();
  for (let made = 0; made < chunks; made += inEntry) {
    const text = Array.from({ length: Math.min(inEntry, chunks - made) }, () => note(next)).join('');
    const source = async function* () {
      yield Buffer.from(text);
    };
    await memory.log('project', { operator: 'ada' }, source(), { kind: 'markdown', title: `notes ${made}` });
  }
  await memory.gc();
  const indexing = (performance.now() - begun) / 1000;
  const timed = (text: string): number => {
    const before = performance.now();
    memory.search(['project'], { text, limit: 10 });
    return performance.now() - before;
  };
  const times = Array.from({ length: queries }, () => timed(question(next))).sort((a, b) => a - b);
  return {
    chunks: memory.stats(['project']).parts,
    p50Ms: round(quantile(times, 0.5)),
    p95Ms: round(quantile(times, 0.95)),
    targetP95Ms: 20,
    queries,
    slowestMs: round(times.at(-1) ?? 0),
    commonWordMs: round(timed('w3')),
    loadAverage: round(loadavg()[0] ?? 0),
    indexedPerSecond: Math.round(chunks / indexing),
    fileMegabytes: Math.round(statSync(path).size / mebi),
  };
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
