/** Generated pipelines, generated deaths: whatever happens on the way, the run ends as if nothing had. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Scripted, scripted } from '../../../test/support/pipeline/generate.ts';
import { type World, world } from '../../../test/support/pipeline/world.ts';
import type { Entry } from '../../schemas/index.ts';
import type { RunState } from './index.ts';

const size = Number(process.env['AGOV_PROPERTY_RUNS'] ?? 0);
const numRuns = size === 0 ? 2 : Math.ceil(size / 25);

interface Lived {
  readonly state: RunState;
  readonly effects: World['effects'];
  readonly entries: readonly Entry[];
}

async function lived(script: Scripted, deaths: readonly number[]): Promise<Lived> {
  await using one = await world();
  const state = await one.run(script, deaths);
  return { state, effects: one.effects, entries: one.entries() };
}

const result = ({ state }: Lived) => ({
  status: state.status,
  reason: state.reason,
  items: Object.fromEntries([...state.items].sort()),
  stages: [...state.stages]
    .map(([key, { status, outputs }]) => ({ key, status, outputs }))
    .sort((a, b) => (a.key < b.key ? -1 : 1)),
});

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

function expectOnceAnAttempt({ effects }: Lived): void {
  const attempts = effects.map(({ attempt }) => attempt);
  expect(new Set(attempts).size).toBe(attempts.length);
}

/** By the order of the entries: no stage starts before all that it needs has ended. */
function expectNeedsMet({ pipeline }: Scripted, { entries }: Lived): void {
  const ended = new Map<string, number>();
  for (const { kind, seq, body } of entries) {
    if (kind !== 'stage' || body['undo'] === true) continue;
    const stage = String(body['stage']);
    if (body['step'] === 'ended' || body['step'] === 'skipped') ended.set(stage, seq);
    if (body['step'] !== 'started') continue;
    const needs = (pipeline.stages[stage] ?? pipeline.finally[stage])?.needs ?? [];
    for (const need of needs)
      if (!ended.has(need)) expect(expandedToNothing(entries, need), `${stage} before ${need}`).toBe(true);
  }
}

function expandedToNothing(entries: readonly Entry[], stage: string): boolean {
  return entries.some(
    ({ body }) => body['step'] === 'expanded' && body['stage'] === stage && (body['items'] as unknown[]).length === 0,
  );
}

function expectUndoneInReverse({ entries }: Lived): void {
  const done: string[] = [];
  const undone: string[] = [];
  for (const { kind, body } of entries) {
    if (kind !== 'stage' || body['step'] !== 'ended' || body['status'] !== 'ok') continue;
    const key = `${body['stage']} ${body['item'] ?? ''}`;
    (body['undo'] === true ? undone : done).push(key);
  }
  expect(undone).toEqual(done.filter((key) => undone.includes(key)).reverse());
}
