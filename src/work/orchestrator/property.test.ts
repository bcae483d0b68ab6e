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

const size = Number(process.env['AGOV_PROPERTY_RUNS'] ?? 0);
const [numRuns, stages] = size === 0 ? [1, 25] : [Math.ceil(size / 25), 200];

describeWith('redis-server', 'runs done by workers', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function lived(script: Scripted, deaths: readonly number[], workers: readonly number[] | undefined) {
    const engine = workers && (await fleet({ url: `redis://127.0.0.1:${server.port}`, deaths: workers }));
    await using one = await world(engine);
    const state = await one.run(script, deaths);
    return { state, effects: one.effects, entries: one.entries() };
  }

  it('end as those done in one process, whoever dies and whatever comes twice', async () => {
    const deaths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 2, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(scripted(stages), deaths, deaths, async (script, drivers, workers) => {
        const calm = await lived(script, [], undefined);
        const stormy = await lived(script, drivers, workers);
        expect(result(stormy)).toEqual(result(calm));
        expectOnceAnAttempt(stormy);
        expectNeedsMet(script, stormy);
        expectUndoneInReverse(stormy);
      }),
      { numRuns, endOnFailure: true },
    );
  }, 600_000);
});
