/** Statuses of many directories: a sweep with nothing kept, and with what the last one kept; the dashboard; one update. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gitHistory } from '../../src/adapters/history/git.ts';
import { openStatus, type Status } from '../../src/context/status/index.ts';
import { idSource, systemEnv } from '../../src/kernel/index.ts';
import { quantile, realDisk } from '../disk.ts';

export interface StatusBench {
  readonly directories: number;
  /** Milliseconds. `bareWalk` only lists the directories: what any of it costs at least. */
  readonly bareWalk: number;
  readonly sweepFirst: number;
  readonly sweepAgain: number;
  readonly dashboardAgain: number;
  readonly updateP50: number;
  readonly updateP95: number;
}

/** Changes are believed to be settled after two seconds. */
const settleMs = 2500;
const fanOut = 100;
const updates = 50;

export async function benchStatus(directories: number): Promise<StatusBench> {
  const root = realpathSync(mkdtempSync(join(realDisk(), 'agov-bench-status-')));
  const env = systemEnv();
  const open = (): Status =>
    openStatus({
      ...{ root, data: join(root, '.agov'), env, ids: idSource(env), history: gitHistory(process.env['PATH'] ?? '') },
      config: { ignore: ['node_modules/'], track: {}, quiet: '14d' },
    });
  const timed = async (work: (status: Status) => unknown): Promise<number> => {
    // Another one each time, as another process would have: nothing is left in memory.
    await using status = open();
    const began = performance.now();
    await work(status);
    return performance.now() - began;
  };
  try {
    make(root, directories);
    await env.sleep(settleMs);
    const began = performance.now();
    const listed = list(root);
    const bareWalk = performance.now() - began;
    const sweepFirst = await timed((status) => status.sweep(root, {}));
    const sweepAgain = await timed((status) => status.sweep(root, {}));
    const dashboardAgain = await timed((status) => status.dashboard(root));
    const times: number[] = [];
    await timed(async (status) => {
      for (let i = 0; i < updates; i++) {
        const at = performance.now();
        await status.update(join(root, 'a0'), { by: 'bench', tasks: [`task ${i}`] });
        times.push(performance.now() - at);
      }
    });
    return {
      directories: listed,
      ...{ bareWalk, sweepFirst, sweepAgain, dashboardAgain },
      ...{ updateP50: quantile(times, 0.5), updateP95: quantile(times, 0.95) },
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A tree of three levels, each directory with a status and committed. */
function make(root: string, directories: number): void {
  mkdirSync(join(root, '.agov'));
  writeFileSync(join(root, '.gitignore'), '.agov/\n');
  const text = (name: string): string =>
    `---\nphase: in-progress\nowner: ada\nupdated: 2026-01-01T00:00:00Z\ntasks:\n  - task: first\n    done: true\n  - second\n---\n\n# ${name}\n`;
  const put = (path: string): void => {
    mkdirSync(join(root, path));
    writeFileSync(join(root, path, 'STATUS.md'), text(path));
  };
  // Each of the first level has as many, and each of those.
  const inner = Math.max(1, Math.ceil(directories / (fanOut * fanOut)));
  let count = 1;
  for (let a = 0; a < fanOut && count < directories; a++, count++) {
    put(`a${a}`);
    for (let b = 0; b < fanOut && count < directories; b++) {
      put(`a${a}/b${b}`);
      for (let c = 1; ++count < directories && c < inner; c++) put(`a${a}/b${b}/c${c}`);
    }
  }
  const git = (...args: readonly string[]): void => {
    const settings = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org', '-c', 'gc.auto=0'];
    execFileSync('git', ['-C', root, ...settings, ...args], { stdio: 'ignore' });
  };
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Begin');
}

function list(root: string): number {
  let count = 0;
  const left = [root];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    count += 1;
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name !== '.git' && entry.name !== '.agov') left.push(join(at, entry.name));
    }
  }
  return count;
}
