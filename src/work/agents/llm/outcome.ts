/** What a run leaves on record: its end by name, what it used, and what was said, by digest. */
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Effected } from '../../../governance/governor/index.ts';
import type { ArtifactRef } from '../../../schemas/index.ts';
import type { AgentJob, AgentResult } from '../kinds/types.ts';
import { type Ended, endings, type Talk } from './types.ts';

export interface Over {
  readonly talk: Talk;
  readonly ended: Ended;
  readonly durationMs: number;
}

export async function outcomeOf(artifacts: Artifacts, job: AgentJob, over: Over): Promise<Effected<AgentResult>> {
  const { end, reason, text, output, asked } = over.ended;
  const kept = await keep(artifacts, job, over);
  const { steps, spent } = over.talk;
  const exitCode = endings[end];
  const well = end === 'finished' || end === 'parked';
  const facts = {
    ...{ kind: 'llm', end, exitCode, steps, ...spent, durationMs: Math.round(over.durationMs) },
    ...(asked ? { approval: asked.approval } : {}),
  };
  return {
    outcome: {
      ...{ status: well ? 'ok' : 'failed', facts, artifacts: kept },
      ...(well ? {} : { reason: (reason ?? `It ended: ${end}.`).slice(0, 2000) }),
    },
    value: {
      ...{ end, exitCode, text, artifacts: kept },
      ...(reason === undefined ? {} : { reason }),
      ...(output === undefined ? {} : { output }),
      ...(asked ? { asked } : {}),
    },
  };
}

/** Names under which stages and readers find them. */
async function keep(artifacts: Artifacts, { channel, definition }: AgentJob, over: Over): Promise<ArtifactRef[]> {
  const { talk, ended } = over;
  const { end, reason, text, output } = ended;
  const { messages, steps, spent } = talk;
  // What a provider signs is for the provider; a reader sees the words.
  const said = messages.map((message) => (message.role === 'assistant' ? { ...message, carried: undefined } : message));
  const transcript = { agent: channel.agent, end, reason, steps, spent, mark: talk.mark, messages: said };
  return [
    await artifacts.put('definition', definition.text),
    await artifacts.put('transcript.json', `${JSON.stringify(transcript, null, 1)}\n`),
    ...(text === '' ? [] : [await artifacts.put('stdout', text)]),
    ...(output === undefined ? [] : [await artifacts.put('output', JSON.stringify(output))]),
    ...(end === 'parked' ? [await artifacts.put('conversation.json', JSON.stringify(talk))] : []),
  ];
}
