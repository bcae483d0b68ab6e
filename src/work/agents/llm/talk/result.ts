/** What came of a call, as the model is told it: whatever comes from outside stands in quotation. */
import type { Json, JsonObject } from '../../../../kernel/index.ts';
import type { LlmDefinition } from '../../../../schemas/index.ts';
import type { Ended } from '../types.ts';
import { cutTo, type Marks } from './words.ts';

export interface Told {
  readonly said: 'ok' | 'failed' | 'denied' | 'not now';
  readonly text: string;
  /** What must be the same for a repetition. */
  readonly circle: string;
}

interface Quoting {
  readonly definition: LlmDefinition;
  readonly marks: Marks;
}

export function notDone(text: string): Told {
  return { said: 'failed', text: `It was not done. ${text}`, circle: text };
}

/** An operation's answer as the model is told it: what comes from outside stands in quotation. */
export function resultOf({ definition, marks }: Quoting, name: string, value: Json): Told | Ended {
  const answer = isObject(value) ? value : { value };
  const { verdict, intent: _intent, reasons, policies: _policies, ...rest } = answer;
  const why = Array.isArray(reasons) ? reasons.join(' ') : '';
  if (verdict === 'deny') {
    const text = `The rules refuse this: ${marks.quote('rules', why)} Find another way within your rights, or say that you cannot.`;
    return { said: 'denied', text, circle: why };
  }
  if (verdict === 'ask') {
    const approval = isObject(rest['approval']) ? String(rest['approval']['id']) : '';
    if (definition.approvals === 'park') {
      const reason = `It waits for an approval: ${why}`.slice(0, 1000);
      return { end: 'parked', reason, text: '', asked: { approval, intent: String(answer['intent']) } };
    }
    const text = `An operator would have to approve this, and none has so far: ${marks.quote('rules', why)} Go on without it.`;
    return { said: 'not now', text, circle: why };
  }
  // What differs each time is no progress.
  const { durationMs: _duration, text, ...facts } = rest;
  const shown = typeof text === 'string' ? text : JSON.stringify(facts);
  const head = typeof text === 'string' && Object.keys(facts).length > 0 ? `${JSON.stringify(facts)}\n` : '';
  const failed = rest['status'] === 'failed' || (rest['exitCode'] !== undefined && rest['exitCode'] !== 0);
  return {
    said: failed ? 'failed' : 'ok',
    text: `${failed ? 'It failed.' : 'Done.'}\n${marks.quote(name, cutTo(`${head}${shown}`, definition.limits.toolOutput))}`,
    circle: JSON.stringify([facts, text]),
  };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
