/** The pipelines of the engine in one process, generated as there, done by workers: the same must hold, and come out. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../../test/support/needs.ts';
import { fleet } from '../../../test/support/pipeline/fleet.ts';
import { type Scripted, scripted } from '../../../test/support/pipeline/generate.ts';
import {
  expectNeedsMet,
  expectOnceAnAttempt,
  expectUndoneInReverse,
  result,
} from '../../../test/support/pipeline/laws.ts';
import { world } from '../../../test/support/pipeline/world.ts';
import { type RedisServer, redisServer } from '../../../test/support/redis-server.ts';
import { type Pipeline, pipelineSchema } from '../../schemas/index.ts';

const size = Number(process.env['AGOV_PROPERTY_RUNS'] ?? 0);
const [numRuns, stages] = size === 0 ? [1, 25] : [Math.ceil(size / 100), 200];

describeWith('redis-server', 'runs done by workers', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer(['--appendonly', 'yes', '--appendfsync', 'always']);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** `workers`: when they die, one a life. `restartAt`: at which delivery the server is killed and started again. */
  async function lived(
    script: Scripted,
    deaths: readonly number[],
    workers: readonly number[] | undefined,
    restartAt?: number,
  ) {
    let deliveries = 0;
    let restarted: Promise<void> | undefined;
    const onDelivery = (): void => {
      if (++deliveries === restartAt) restarted = server.kill().then(() => server.start());
    };
    const engine = workers && (await fleet({ url: `redis://127.0.0.1:${server.port}`, deaths: workers, onDelivery }));
    await using one = await world(engine);
    const state = await one.run(script, deaths);
    await restarted;
    return { state, effects: one.effects, entries: one.entries() };
  }

  it('end as those done in one process, whoever dies, whatever comes twice, and through a restart of the server', async () => {
    const deaths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 5 });
    const restarts = fc.integer({ min: 1, max: stages });
    await fc.assert(
      fc.asyncProperty(scripted(stages), deaths, deaths, restarts, async (script, drivers, workers, restartAt) => {
        const calm = await lived(script, [], undefined);
        const stormy = await lived(script, drivers, workers, restartAt);
        expect(result(stormy)).toEqual(result(calm));
        expectOnceAnAttempt(stormy);
        expectNeedsMet(script, stormy);
        expectUndoneInReverse(stormy);
      }),
      { numRuns, endOnFailure: true },
    );
  }, 600_000);

  it('ask operators once for each host whose paths differ, and keep each answer until it is used', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `s-${i}`);
    const stage = { agent: 'builder', run: ['work'], gate: { approval: { quorum: 2, roles: ['release'] } } };
    const stages = Object.fromEntries(names.map((name, i) => [name, { ...stage, needs: names.slice(i - 1, i) }]));
    const pipeline = { apiVersion: 'agov/v1', kind: 'Pipeline', name: 'asks', stages };
    const script = { pipeline: pipelineSchema.parse(pipeline) as Pipeline, conduct: new Map() }; // no template in it
    const { state, entries } = await lived(script, [], []);
    expect(state.status).toBe('ok');
    const jobs = entries.filter(({ kind }) => kind === 'job');
    for (const { id, body } of entries.filter(({ kind, body }) => kind === 'stage' && body['step'] === 'started')) {
      const steps = jobs.filter(({ parent }) => parent === id).map((job) => job.body['step']);
      const asked = steps.filter((step) => step === 'asked');
      expect(asked.length, `${body['stage']}`).toBeLessThanOrEqual(2);
      // A slow machine may lose a worker before it could ask.
      if (!steps.includes('lost')) expect(asked.length, `${body['stage']}`).toBeGreaterThan(0);
    }
  });
});
