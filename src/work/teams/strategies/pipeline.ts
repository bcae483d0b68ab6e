/** One role after another: each gets what the one before it answered. The holders of one role work side by side. */
import type { Json } from '../../../kernel/index.ts';
import { answerOf, atOnce, failedOf, placesOf, type Strategy, taskOf } from './types.ts';

const mostAtOnce = 8;

export const inTurn: Strategy = async (ground) => {
  let previous: Json | undefined;
  for (const plan of ground.team.roles.values()) {
    const input = { ...ground.input, ...(previous === undefined ? {} : { previous }) };
    const task = { task: taskOf(plan, ground.task), input };
    const done = await atOnce(placesOf(plan), mostAtOnce, (place) => ground.run(place, task));
    const failed = done.find(({ end }) => end.status !== 'ok');
    if (failed) return failedOf(failed);
    const answers = done.map(answerOf);
    previous = plan.member.count === 1 ? answers[0] : answers;
  }
  const text = typeof previous === 'string' ? previous : JSON.stringify(previous ?? null);
  return { status: 'ok', end: 'finished', text, output: previous ?? null };
};
