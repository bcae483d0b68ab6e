/** All decide, none sees the others. Whatever is no clear yes is a no: silence, garbage, an abstention, a tie. */
import { z } from 'zod';
import type { JsonObject } from '../../../kernel/index.ts';
import { atOnce, type Done, placesOf, type Strategy, type TeamEnd, taskOf } from './types.ts';

const mostAtOnce = 8;
const ballot = z.strictObject({ verdict: z.enum(['yes', 'no', 'abstain']), reason: z.string().max(16_384) });
const how = 'Answer with a JSON object: {"verdict": "yes", "no" or "abstain", "reason": "…"}.';

export interface Vote {
  readonly role: string;
  readonly name: string;
  readonly verdict: 'yes' | 'no' | 'abstain' | 'none';
  readonly reason: string;
}

export const vote: Strategy = async (ground) => {
  const { roles, value } = ground.team;
  const places = [...roles.values()].flatMap(placesOf);
  const done = await atOnce(places, mostAtOnce, (place) =>
    ground.run(place, { task: `${taskOf(place.plan, ground.task)}\n\n${how}`, input: ground.input }),
  );
  return countVotes(done.map(readVote), value.vote ?? { veto: [] });
};

export function readVote({ plan: { role }, name, end }: Done): Vote {
  const who = { role, name };
  if (end.status !== 'ok') return { ...who, verdict: 'none', reason: end.reason ?? `It ended: ${end.end}.` };
  const parsed = ballot.safeParse(end.output ?? jsonIn(end.text));
  return parsed.success
    ? { ...who, ...parsed.data }
    : { ...who, verdict: 'none', reason: 'What it answered is no vote.' };
}

/** Passed by the quorum, by more who are for it than are not, and by each of those who have a veto. */
export function countVotes(
  votes: readonly Vote[],
  { quorum, veto }: { readonly quorum?: number | undefined; readonly veto: readonly string[] },
): TeamEnd {
  const yes = votes.filter(({ verdict }) => verdict === 'yes').length;
  const needed = quorum ?? Math.floor(votes.length / 2) + 1;
  const against = votes.find(({ role, verdict }) => veto.includes(role) && verdict !== 'yes');
  const why = against
    ? `${against.role}, which has a veto, is not for it: ${against.reason}`
    : yes < needed
      ? `${yes} of ${votes.length} are for it, and it takes ${needed}.`
      : yes <= votes.length - yes
        ? `${yes} of ${votes.length} are for it: no more than are not.`
        : undefined;
  const output: JsonObject = { passed: why === undefined, yes, needed, votes: votes.map((one) => ({ ...one })) };
  const text = why ?? `Passed: ${yes} of ${votes.length} are for it.`;
  return {
    status: why === undefined ? 'ok' : 'failed',
    end: why === undefined ? 'finished' : 'rejected',
    text,
    output,
    ...(why === undefined ? {} : { reason: why }),
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no vote
  }
}
