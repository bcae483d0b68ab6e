/** Finishes what a crash or a failure has left undone of kills, freezes and thaws. */

import { report, resumableOrders, said } from './orders.ts';
import { carryOut } from './steps/carry-out.ts';
import { round } from './steps/steps.ts';
import type { KillParts, KillReport, KillStep, StepName } from './types.ts';

/**
 * Tries again what is left of each open order, and puts the outcome on record: always when it is done, otherwise only
 * where it differs from the last one, so that a server that stays away does not fill the ledger. Nothing that is being
 * carried out now is touched.
 */
export async function retryKills(parts: KillParts): Promise<readonly KillReport[]> {
  const { env, ledger } = parts;
  const open = resumableOrders(ledger);
  if (open.length === 0) return [];
  const began = env.monotonic();
  const skipped = new Set<StepName>(parts.skip);
  const tasks = open
    .filter(({ overtaken }) => !overtaken)
    .map(({ subject, left }) => ({ subject, wants: left.difference(skipped) }));
  const done = await carryOut(parts, tasks);
  const ms = round(env.monotonic() - began);
  return Promise.all(
    open.map(({ subject, left, overtaken, said: before }) => {
      const overtakenStep = { step: 'record', ok: true, ms: 0, detail: 'overtaken by a later act' } as const;
      const steps = overtaken ? [overtakenStep] : [...(done.get(subject) ?? []), ...notTried(left, skipped)];
      const failed = steps.filter(({ ok }) => !ok);
      if (failed.length > 0 && said(failed) === before) return again(subject, steps, ms);
      return report(ledger, subject, steps, ms);
    }),
  );
}

function notTried(left: ReadonlySet<StepName>, skipped: ReadonlySet<StepName>): readonly KillStep[] {
  return [...left.intersection(skipped)].map((step) => ({ step, ok: false, ms: 0, detail: 'not tried again yet' }));
}

/** Of an attempt that found what the last one found. */
function again(
  { deed, order, agent, run }: Parameters<typeof report>[1],
  steps: KillReport['steps'],
  ms: number,
): KillReport {
  const named = { ...(agent ? { agent: agent.name } : {}), ...(run === undefined ? {} : { run }) };
  return { deed, ...named, order, entry: order, steps, ms };
}
