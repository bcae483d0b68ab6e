/** Generated pipelines, generated deaths: whatever happens on the way, the run ends as if nothing had. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Scripted, scripted } from '../../../../test/support/pipeline/generate.ts';
import {
  expectNeedsMet,
  expectOnceAnAttempt,
  expectSignalled,
  expectUndoneInReverse,
  type Lived,
  result,
} from '../../../../test/support/pipeline/laws.ts';
import { type World, world } from '../../../../test/support/pipeline/world.ts';

const size = Number(process.env['AGOV_PROPERTY_RUNS'] ?? 0);
const [numRuns, stages] = size === 0 ? [1, 60] : [Math.ceil(size / 50), 200];

async function lived(script: Scripted, deaths: readonly number[]): Promise<Lived & Pick<World, 'overlaps'>> {
  await using one = await world();
  const state = await one.run(script, deaths);
  const { effects, overlaps } = one;
  return { state, effects, overlaps, entries: one.entries() };
}

it('ends the same after any deaths, does nothing twice, and undoes in reverse', async () => {
  const deaths = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(scripted(stages), deaths, async (script, at) => {
      const calm = await lived(script, []);
      const stormy = await lived(script, at);
      expect(result(stormy)).toEqual(result(calm));
      for (const one of [calm, stormy]) expectLawful(script, one);
    }),
    { numRuns, endOnFailure: true },
  );
}, 300_000);

// Drawn by chance, most runs have one stage at a time: these have many, and much that they wait for.
it.each([3, 4, 8])('keeps what shares a lock apart, and starts nothing before its word (seed %i)', async (seed) => {
  const drawn = fc.sample(scripted(60), { numRuns: 20, seed });
  const script = drawn.find(({ failing, pipeline }) => !failing && pipeline.parallel === 8);
  if (!script) throw new Error('no such pipeline was drawn');
  const one = await lived(script, [60, 45, 30]);
  expect(one.state.status).toBe('ok');
  expectLawful(script, one);
  const steps = one.entries.map(({ body }) => body['step']);
  expect(steps.filter((step) => step === 'awaiting').length).toBeGreaterThan(0);
  expect(one.entries.filter(({ body }) => body['step'] === 'started' && body['locks']).length).toBeGreaterThan(10);
});

function expectLawful(script: Scripted, one: Awaited<ReturnType<typeof lived>>): void {
  expectOnceAnAttempt(one);
  expectNeedsMet(script, one);
  expectUndoneInReverse(one);
  expectSignalled(script, one);
  expect(one.overlaps).toEqual([]);
}
