/**
 * Several try, each on a branch and in a folder of its own; a judge picks. The winner's branch stays, and what the others
 * have made goes with them. Without a judgement that names one of them there is no winner.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { AgovError, type JsonObject } from '../../../kernel/index.ts';

import {
  answerOf,
  atOnce,
  type Done,
  failedOf,
  type Ground,
  placesOf,
  type Strategy,
  type TeamEnd,
  taskOf,
  type Work,
} from './types.ts';

const judgement = z.strictObject({ winner: z.string(), reasons: z.string().max(16_384) });
const how =
  'Answer with a JSON object: {"winner": the name of a candidate, "reasons": "…"}. The candidates are in your input.';
const work = 'try';

export const contest: Strategy = async (ground) => {
  const { value, roles } = ground.team;
  const { judge: judgeRole, parallel = 2 } = value.contest ?? { judge: '' };
  const judge = roles.get(judgeRole);
  if (!judge) throw new AgovError('INTERNAL', { what: 'A contest without judge came through validation.' });
  const places = [...roles.values()].filter(({ role }) => role !== judgeRole).flatMap(placesOf);
  const tried = await atOnce(places, parallel, (place) =>
    ground.run(place, { task: taskOf(place.plan, ground.task), input: ground.input }, trying(ground)),
  );
  const candidates = tried.filter(({ end }) => end.status === 'ok');
  const judged = candidates.length === 0 ? undefined : await judgeAll(ground, candidates, judgeRole);
  const winner = judged && 'winner' in judged ? judged.winner : undefined;
  const left = await discard(
    ground,
    tried.filter((one) => one !== winner),
  );
  if (!judged)
    return {
      status: 'failed',
      end: 'nobody',
      reason: `Nobody came to an end: ${tried.map((one) => failedOf(one).reason).join('; ')}`.slice(0, 2000),
      text: '',
    };
  if (!('winner' in judged)) return judged;
  const output: JsonObject = {
    winner: judged.winner.name,
    branch: branchOf(judged.winner),
    reasons: judged.reasons,
    answer: answerOf(judged.winner),
    candidates: candidates.map(({ name }) => name),
    ...(left.length > 0 ? { left } : {}),
  };
  return { status: 'ok', end: 'finished', text: judged.reasons, output };
};

/** In a folder of its own; what it leaves there is committed in its name, or removed where it failed. */
function trying(ground: Ground): Work {
  return async ({ channel, intent }, byDefinition) => {
    const seat = { channel, parent: intent };
    const made = await ground.use(seat, 'git.worktree', { branch: work });
    if (made.status !== 'ok') throw new AgovError('TOOL_FAILED', { what: made.reason ?? 'No worktree was made.' });
    const folder = join(ground.root, String(made.facts['path']));
    const end = await byDefinition(folder);
    if (end.status !== 'ok') {
      await ground.use(seat, 'git.discard', { branch: branchOf({ name: channel.agent }), unmerged: true });
      return end;
    }
    // It may have committed all by itself, or changed nothing.
    await ground.use({ ...seat, channel: { ...channel, workspace: folder } }, 'git.commit', {
      message: `Try of ${channel.agent}`,
    });
    return end;
  };
}

function branchOf({ name }: Pick<Done, 'name'>): string {
  return `agov/${name}/${work}`;
}

async function judgeAll(
  ground: Ground,
  candidates: readonly Done[],
  role: string,
): Promise<TeamEnd | { readonly winner: Done; readonly reasons: string }> {
  const plan = ground.team.roles.get(role);
  const [place] = plan ? placesOf(plan) : [];
  if (!plan || !place) throw new AgovError('INTERNAL', { what: 'A contest without judge came through validation.' });
  const shown = candidates.map((one) => ({
    name: one.name,
    branch: branchOf(one),
    folder: `.worktrees/${one.name}-${work}`,
    answer: answerOf(one),
  }));
  const done = await ground.run(place, {
    task: `${taskOf(plan, ground.task)}\n\n${how}`,
    input: { ...ground.input, candidates: shown },
  });
  if (done.end.status !== 'ok') return failedOf(done);
  const parsed = judgement.safeParse(done.end.output ?? jsonIn(done.end.text));
  const winner = parsed.success ? candidates.find(({ name }) => name === parsed.data.winner) : undefined;
  if (winner && parsed.success) return { winner, reasons: parsed.data.reasons };
  const reason = parsed.success
    ? `"${parsed.data.winner.slice(0, 100)}" is none of the candidates.`
    : 'What the judge answered is no judgement.';
  return { status: 'failed', end: 'unjudged', reason, text: '' };
}

/** As the lead, to whom what they left belongs now that they are over. Those that failed have cleaned up themselves. */
async function discard(ground: Ground, losers: readonly Done[]): Promise<string[]> {
  const left: string[] = [];
  for (const loser of losers.filter(({ end }) => end.status === 'ok')) {
    const branch = branchOf(loser);
    // A branch that stays is told, and costs nobody the winner.
    const removed = await ground.use(ground.seat, 'git.discard', { branch, unmerged: true }).catch(() => undefined);
    if (removed?.status !== 'ok') left.push(branch);
  }
  return left;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no judgement
  }
}
