/** An operator's word to a run: the stages whose gates wait for that event, now or later, go on. */
import type { Ledger } from '../../../governance/ledger/index.ts';
import { AgovError, type Json, messageOf } from '../../../kernel/index.ts';
import { nearest, type Pipeline } from '../../../schemas/index.ts';
import type { OperatorAct } from '../../agents/index.ts';
import { recordable } from '../expressions/index.ts';
import type { RunBody, RunState } from '../journal/index.ts';
import { eventGateOf } from '../language/index.ts';
import { hasEnded } from './runs.ts';

/** Part of an entry, and of whatever reads it. */
const maxData = 8192;
const maxSignals = 1000;

export interface Event {
  readonly name: string;
  readonly data: Json;
}

/** @throws CONFLICT when the run has ended, NOT_FOUND for an event that no stage of it waits for, INPUT_INVALID for the data */
export async function signalRun(
  ledger: Ledger,
  pipeline: Pipeline,
  state: RunState,
  { name, data }: Event,
  by: OperatorAct,
): Promise<void> {
  if (state.endedAt !== undefined) throw hasEnded(state);
  const known = eventsOf(pipeline);
  if (!known.includes(name)) throw unknownEvent(name, known);
  if (state.signals.length >= maxSignals) {
    throw invalid(`Run ${state.run} has been signalled ${maxSignals} times.`, 'Cancel it, and see what signals it.');
  }
  const body: RunBody = { step: 'signalled', name, data: bounded(data), ...by };
  await ledger.append({ kind: 'run', run: state.run, body });
}

/** That a gate of the pipeline waits for. */
export function eventsOf(pipeline: Pipeline): readonly string[] {
  const stages = [...Object.values(pipeline.stages), ...Object.values(pipeline.finally)];
  return [...new Set(stages.flatMap((stage) => eventGateOf(stage)?.name ?? []))];
}

function bounded(data: Json): Json {
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes > maxData) {
    throw invalid(`The data has ${bytes} bytes; an event takes ${maxData} at most.`, 'Hand on a name or a digest.');
  }
  try {
    return recordable(data);
  } catch (error) {
    throw invalid(`No expression could read this data: ${messageOf(error)}.`, 'Give JSON with plain keys.');
  }
}

function unknownEvent(name: string, known: readonly string[]): AgovError {
  const hint = nearest(name, known);
  return new AgovError('NOT_FOUND', {
    what: `No stage of the run waits for an event "${name}".`,
    fix: hint
      ? `Did you mean "${hint}"?`
      : known.length === 0
        ? 'None waits for any.'
        : `They wait for ${known.join(', ')}.`,
  });
}

function invalid(what: string, fix: string): AgovError {
  return new AgovError('INPUT_INVALID', { what, fix });
}
