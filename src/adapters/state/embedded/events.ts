/** Events of all processes in one order. The newest 10,000 are kept; numbers go on whatever is pruned. */
import { z } from 'zod';
import type { Env, JsonObject } from '../../../kernel/index.ts';
import { boundedInt, boundedJson, boundedName, invalid } from '../bounds.ts';
import type { Events, StateEvent } from '../port.ts';
import { storedJson } from '../stored-json.ts';
import type { Database } from './store/database.ts';

const kept = 10_000;
const defaultRead = 1000;
const pollMs = 25;

const eventRow = z.strictObject({
  seq: z.int().min(1),
  at: z.int(),
  topic: z.string(),
  body: storedJson.refine(
    (body): body is JsonObject => typeof body === 'object' && body !== null && !Array.isArray(body),
    'must be an object',
  ),
});
const seqRow = z.strictObject({ seq: z.int().min(0) });

export function events(db: Database, env: Env): Events {
  const followers = new Set<() => void>();

  const read = (after: number, limit: number): readonly StateEvent[] =>
    db.all(eventRow, 'SELECT seq, at, topic, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?', after, limit);
  const last = (): number => seqRow.parse(db.one(seqRow, 'SELECT coalesce(max(seq), 0) AS seq FROM events')).seq;

  return {
    async publish(topic, body) {
      boundedName('topic', topic);
      const text = boundedJson('event body', body);
      if (!text.startsWith('{')) throw invalid('The event body is not an object.', 'Wrap it in one.');
      const seq = db.write(() => {
        const sql = 'INSERT INTO events (at, topic, body) VALUES (?, ?, ?) RETURNING seq';
        const row = seqRow.parse(db.one(seqRow, sql, env.now(), topic, text));
        db.run('DELETE FROM events WHERE seq <= ?', row.seq - kept);
        return row.seq;
      });
      for (const wake of followers) wake();
      return seq;
    },
    async read(after, limit = defaultRead) {
      return read(boundedInt('event number', after, 0), boundedInt('limit', limit, 1, kept));
    },
    async last() {
      return last();
    },
    follow(signal, after) {
      // "From now on" means from this call, not from when the caller first asks for an event.
      const start = after === undefined ? last() : boundedInt('event number', after, 0);
      return follow(signal, start);
    },
  };

  async function* follow(signal: AbortSignal, after: number): AsyncGenerator<StateEvent> {
    let cursor = after;
    let nap = new AbortController();
    const wake = (): void => nap.abort();
    signal.addEventListener('abort', wake);
    followers.add(wake);
    try {
      while (!signal.aborted) {
        // Both before the read: what is published during it ends the wait below at once.
        nap = new AbortController();
        const revision = db.revision();
        const batch = read(cursor, defaultRead);
        for (const event of batch) {
          if (signal.aborted) return;
          cursor = event.seq;
          yield event;
        }
        if (batch.length === 0) await changeAfter(revision, nap.signal);
      }
    } finally {
      signal.removeEventListener('abort', wake);
      followers.delete(wake);
    }
  }

  /** Resolves when the file has changed or `woken` aborts. */
  async function changeAfter(revision: string, woken: AbortSignal): Promise<void> {
    while (!woken.aborted && db.revision() === revision) {
      // The rejection of an aborted sleep is the wake-up itself; the loop's condition sees it.
      await env.sleep(pollMs, woken).catch(() => undefined);
    }
  }
}
