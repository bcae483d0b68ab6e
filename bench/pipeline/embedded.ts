/** Stages a second of the engine that runs in one process, beside what the disk and bare SQLite do in the same run. */
import { workspaceOf } from '../../src/work/agents/index.ts';
import { drive, startRun } from '../../src/work/pipeline/index.ts';
import { bareSqlite, fdatasyncTimes, quantile } from '../disk.ts';
import { type Ground, openGround, pipelineOf, stagesEach } from './ground.ts';

export interface EmbeddedBench {
  /** Medians of three runs of 1,000 stages each. */
  readonly chainStagesPerSecond: number;
  readonly fanOutStagesPerSecond: number;
  /** Pairs of commits a second in bare SQLite, WAL and FULL. */
  readonly bareCommitPairsPerSecond: number;
  readonly fdatasyncMs: number;
  readonly rssMb: number;
}

const rounds = 3;
const by = { operator: 'bench', user: 'bench' };
const never = new AbortController().signal;

export async function benchEmbedded(): Promise<EmbeddedBench> {
  await using ground = await openGround();
  using sqlite = bareSqlite(ground.dir);
  const [chain, fanOut, bare, disk]: [number[], number[], number[], number[]] = [[], [], [], []];
  await stagesPerSecond(ground, 'chain');
  for (let round = 0; round < rounds; round++) {
    disk.push(...fdatasyncTimes(ground.dir, 200));
    bare.push(...sqlite.pairs(500));
    chain.push(await stagesPerSecond(ground, 'chain'));
    fanOut.push(await stagesPerSecond(ground, 'fan-out'));
  }
  return {
    chainStagesPerSecond: Math.round(quantile(chain, 0.5)),
    fanOutStagesPerSecond: Math.round(quantile(fanOut, 0.5)),
    bareCommitPairsPerSecond: Math.round(1000 / quantile(bare, 0.5)),
    fdatasyncMs: Math.round(quantile(disk, 0.5) * 1000) / 1000,
    rssMb: Math.round(process.memoryUsage.rss() / 1_000_000),
  };
}

async function stagesPerSecond(ground: Ground, shape: 'chain' | 'fan-out'): Promise<number> {
  const pipeline = pipelineOf(shape);
  const run = await startRun(ground, pipeline, { text: shape, file: `${shape}.yaml`, params: {} }, by);
  const began = performance.now();
  const state = await drive(
    {
      ...ground,
      hidden: [],
      workspace: (folder) => workspaceOf(ground.workspace, folder, []),
      ask: () => Promise.reject(new Error('nothing asks')),
    },
    pipeline,
    run,
    { stop: never, quit: never },
  );
  if (state.status !== 'ok') throw new Error(`the bench's own pipeline did not end well: ${state.reason}`);
  return (stagesEach / (performance.now() - began)) * 1000;
}
