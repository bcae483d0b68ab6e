/** What a strategy works with, and what it comes to. */
import type { Json, JsonObject } from '../../../kernel/index.ts';
import type { Seat, UsedTool } from '../../agents/index.ts';
import type { ChildEnd, ChildJob } from '../children/index.ts';
import type { RolePlan, TeamPlan } from '../language/index.ts';

export interface Task {
  readonly task: string;
  readonly input: JsonObject | undefined;
}

/** One holder of a role. */
export interface Place {
  readonly plan: RolePlan;
  /** From 0. */
  readonly index: number;
}

export interface Done extends Place {
  /** The name under which it worked; empty where it was not started. */
  readonly name: string;
  readonly end: ChildEnd;
}

export interface Ground extends Task {
  readonly team: TeamPlan;
  /** Absolute, of the project. */
  readonly root: string;
  /** Of the lead. */
  readonly seat: Seat;
  readonly signal: AbortSignal;
  /** A wrapped tool, in the name of whose seat it is. @throws DENIED */
  use(seat: Seat, tool: string, args: JsonObject): Promise<UsedTool>;
  /**
   * Has one holder of a role work, and waits for its end; `work` in place of its definition. What an attempt before this
   * one, whose driver died, has on record as done is not done again.
   */
  run(place: Place, task: Task, work?: Work): Promise<Done>;
  /** Runs the lead by its definition, with whom it may call. */
  lead(): Promise<ChildEnd>;
}

/** `byDefinition` is what it would do otherwise, in this workspace. */
export type Work = (job: ChildJob, byDefinition: (workspace?: string) => Promise<ChildEnd>) => Promise<ChildEnd>;

export interface TeamEnd {
  readonly status: 'ok' | 'failed';
  readonly end: string;
  readonly reason?: string;
  readonly text: string;
  readonly output?: Json;
}

export type Strategy = (ground: Ground) => Promise<TeamEnd>;

export function placesOf(plan: RolePlan): readonly Place[] {
  return Array.from({ length: plan.member.count }, (_, index) => ({ plan, index }));
}

/** What it was told to do: the team's task, and its own. */
export function taskOf({ member }: RolePlan, task: string): string {
  return member.task === undefined ? task : `${task}\n\n${member.task}`;
}

/** As the next one reads it. */
export function answerOf({ end }: Done): Json {
  return end.output ?? end.text;
}

export function failedOf(done: Done): TeamEnd {
  const { plan, name, end } = done;
  const who = name === '' ? `the role "${plan.role}"` : `"${name}"`;
  return { status: 'failed', end: 'failed', reason: `${who}: ${end.reason ?? end.end}`, text: '' };
}

/** At most `limit` at once; in order. */
export async function atOnce<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T); // i is below its length
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
