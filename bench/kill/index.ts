/**
 * From the operator's command to the last process dead: a hundred agents of four governors on one Redis, and one agent of
 * one governor on the embedded state. The processes are real sandboxes of bubblewrap where it works, so each agent is
 * three of them: bubblewrap, its process 1, the command. The command's own start is in the figure.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openApp } from '../../src/app/index.ts';
import { setup as build } from '../../test/support/build.ts';
import { marker, processesWith } from '../../test/support/processes.ts';
import { redisServer } from '../../test/support/redis-server.ts';
import { quantile } from '../disk.ts';
import { bareKill, deaths } from './dying.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));

interface Kill {
  readonly agents: number;
  readonly governors: number;
  readonly processes: number;
  readonly repeats: number;
  /** Over all processes of all repeats, from the start of the command. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** To the last process of each repeat. */
  readonly lastMedianMs: number;
  readonly lastWorstMs: number;
  /** What the command itself says that it took, from its order to the last confirmed dead. */
  readonly insideMedianMs: number;
  readonly targetMs: number;
  /** In the same repeats: as many bare processes by kill(2), and a command of agov that only lists. */
  readonly reference: { readonly bareKillMedianMs: number; readonly commandMedianMs: number };
}

export interface KillBench {
  readonly sandbox: 'bubblewrap' | 'none';
  readonly fleet: Kill;
  readonly one: Kill;
}

export async function benchKill(): Promise<KillBench> {
  build();
  const sandbox = works('bwrap') ? 'bubblewrap' : 'none';
  await using server = await redisServer();
  const shared = { AGOV_SANDBOX: sandbox, AGOV_STATE_URL: `redis://127.0.0.1:${server.port}` };
  const fleet = await measure({ agents: 100, governors: 4, repeats: 8, targetMs: 500, settings: shared });
  const one = await measure({
    agents: 1,
    governors: 1,
    repeats: 25,
    targetMs: 150,
    settings: { AGOV_SANDBOX: sandbox },
  });
  return { sandbox, fleet, one };
}

interface Plan {
  readonly agents: number;
  readonly governors: number;
  readonly repeats: number;
  readonly targetMs: number;
  readonly settings: Readonly<Record<string, string>>;
}

async function measure({ agents, governors, repeats, targetMs, settings }: Plan): Promise<Kill> {
  const place = mkdtempSync(join(tmpdir(), 'agov-bench-kill-'));
  try {
    const project = makeProject(place, settings);
    const all: number[] = [];
    const last: number[] = [];
    const inside: number[] = [];
    const bare: number[] = [];
    const command: number[] = [];
    let processes = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const names = Array.from({ length: agents }, (_, i) => `agent-${repeat}-${i}`);
      const fleet = await atWork(project, names, governors);
      processes = fleet.pids.length;
      const began = performance.now();
      const killing = agov(project, ['kill', '--tier', 'T1', '--reason', 'bench', '--json']);
      const times = await deaths(fleet.pids, began);
      const reports: { readonly ms: number }[] = JSON.parse(await killing);
      if (reports.length !== agents) throw new Error(`${reports.length} of ${agents} agents were killed`);
      all.push(...times);
      last.push(times.at(-1) ?? 0);
      inside.push(Math.max(...reports.map(({ ms }) => ms)));
      await Promise.all(fleet.governors.map((governor) => governor.exitCode ?? once(governor, 'exit')));
      bare.push(await bareKill(processes));
      const from = performance.now();
      await agov(project, ['agent', 'list', '--json']);
      command.push(performance.now() - from);
    }
    return {
      ...{ agents, governors, processes, repeats, targetMs },
      p50Ms: round(quantile(all, 0.5)),
      p99Ms: round(quantile(all, 0.99)),
      lastMedianMs: round(quantile(last, 0.5)),
      lastWorstMs: round(Math.max(...last)),
      insideMedianMs: round(quantile(inside, 0.5)),
      reference: { bareKillMedianMs: round(quantile(bare, 0.5)), commandMedianMs: round(quantile(command, 0.5)) },
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

interface Project {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

function makeProject(place: string, settings: Readonly<Record<string, string>>): Project {
  const root = join(place, 'project');
  const { PATH } = process.env;
  const env = { PATH, HOME: place, XDG_CONFIG_HOME: join(place, 'keys'), LANG: 'C.UTF-8', ...settings };
  execFileSync('git', ['init', '--quiet', root], { env });
  execFileSync(process.execPath, [main, 'init', '--operator', 'ada'], { cwd: root, env });
  return { root, env };
}

/** Registers the agents, starts the governors that run something for each, and waits until all of it runs. */
async function atWork({ root, env }: Project, names: readonly string[], count: number) {
  {
    await using app = openApp({ from: root, environment: env });
    const by = app.operator();
    const roster = await app.roster();
    await Promise.all(names.map((name) => roster.add(name, 'T1', by)));
  }
  const mark = marker();
  const share = Math.ceil(names.length / count);
  const governors = Array.from({ length: count }, (_, i) => {
    const mine = names.slice(i * share, (i + 1) * share);
    return spawn(process.execPath, [worker, root, mark, ...mine], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  });
  await Promise.all(governors.map(ready));
  const each = env['AGOV_SANDBOX'] === 'none' ? 1 : 3;
  for (;;) {
    const pids = processesWith(mark)
      .map(({ pid }) => pid)
      .filter((pid) => governors.every((governor) => governor.pid !== pid));
    if (pids.length >= each * names.length) return { governors, pids };
    await setTimeout(20);
  }
}

async function ready(governor: ChildProcess): Promise<void> {
  const [said] = await Promise.race([
    once(governor.stdout as NonNullable<typeof governor.stdout>, 'data'), // it was started with a pipe
    once(governor, 'exit').then(() => ['']),
  ]);
  if (!String(said).startsWith('ready')) throw new Error('a governor ended before its agents ran');
}

/** Its standard output. */
async function agov({ root, env }: Project, argv: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [main, ...argv], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`agov ${argv.join(' ')} ended with ${code}: ${out}`);
  return out;
}

function works(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
