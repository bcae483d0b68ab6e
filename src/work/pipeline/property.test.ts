/** Generated pipelines, generated deaths: whatever happens on the way, the run ends as if nothing had. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Scripted, scripted } from '../../../test/support/pipeline/generate.ts';
import {
  expectNeedsMet,
  expectOnceAnAttempt,
  expectUndoneInReverse,
  type Lived,
  result,
} from '../../../test/support/pipeline/laws.ts';
import { world } from '../../../test/support/pipeline/world.ts';

const size = Number(process.env['AGOV_PROPERTY_RUNS'] ?? 0);
const numRuns = size === 0 ? 2 : Math.ceil(size / 25);

async function lived(script: Scripted, deaths: readonly number[]): Promise<Lived> {
  await using one = await world();
  const state = await one.run(script, deaths);
  return { state, effects: one.effects, entries: one.entries() };
}

it('ends the same after any deaths, does nothing twice, and undoes in reverse', async () => {
  const deaths = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(scripted(200), deaths, async (script, at) => {
      const calm = await lived(script, []);
      const stormy = await lived(script, at);
      expect(result(stormy)).toEqual(result(calm));
      for (const one of [calm, stormy]) {
        expectOnceAnAttempt(one);
        expectNeedsMet(script, one);
        expectUndoneInReverse(one);
      }
    }),
    { numRuns, endOnFailure: true },
  );
}, 300_000);
