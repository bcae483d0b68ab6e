/** What holds of every run, whichever engine did it and whoever died on the way. */
import { expect } from 'vitest';
import type { Entry } from '../../../src/schemas/index.ts';
import type { RunState } from '../../../src/work/pipeline/index.ts';
import type { Scripted } from './generate.ts';
import type { World } from './world.ts';

export interface Lived {
  readonly state: RunState;
  readonly effects: World['effects'];
  readonly entries: readonly Entry[];
}

export const result = ({ state }: Lived) => ({
  status: state.status,
  reason: state.reason,
  items: Object.fromEntries([...state.items].sort()),
  stages: [...state.stages]
    .map(([key, { status, outputs }]) => ({ key, status, outputs }))
    .sort((a, b) => (a.key < b.key ? -1 : 1)),
});

export function expectOnceAnAttempt({ effects }: Lived): void {
  const attempts = effects.map(({ attempt }) => attempt);
  expect(new Set(attempts).size).toBe(attempts.length);
}

/** By the order of the entries: no stage starts before all that it needs has ended. */
export function expectNeedsMet({ pipeline }: Scripted, { entries }: Lived): void {
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

export function expectUndoneInReverse({ entries }: Lived): void {
  const done: string[] = [];
  const undone: string[] = [];
  for (const { kind, body } of entries) {
    if (kind !== 'stage' || body['step'] !== 'ended' || body['status'] !== 'ok') continue;
    const key = `${body['stage']} ${body['item'] ?? ''}`;
    (body['undo'] === true ? undone : done).push(key);
  }
  expect(undone).toEqual(done.filter((key) => undone.includes(key)).reverse());
}

/** By the order of the entries: no stage starts before the word that its gate waits for. */
export function expectSignalled({ pipeline }: Scripted, { entries }: Lived): void {
  const said = new Set<string>();
  for (const { kind, body } of entries) {
    if (kind === 'run' && body['step'] === 'signalled' && body['data'] === 'now') said.add(String(body['name']));
    if (kind !== 'stage' || body['step'] !== 'started' || body['undo'] === true) continue;
    const gate = (pipeline.stages[String(body['stage'])] ?? pipeline.finally[String(body['stage'])])?.gate;
    const event = typeof gate === 'object' ? gate.event?.name : undefined;
    if (event !== undefined) expect([...said]).toContain(event);
  }
}
