/** What the person who waits is told: that nobody takes the work, and what to start; that the server does not answer. */
import type { Queue } from '../../../adapters/queue/port.ts';
import { type Env, messageOf } from '../../../kernel/index.ts';
import { type About, jobFormat } from '../messages/index.ts';
import { waited } from './waiting.ts';

export interface Hints {
  note(text: string): void;
  idle(about: About, waitedMs: number): void;
  silent(error: unknown): void;
}

const patienceMs = 5000;
const againMs = 60_000;

export function createHints({ queue, env, onNote }: { queue: Queue; env: Env; onNote(text: string): void }): Hints {
  const next = new Map<string, number>();
  const seldom = (about: string, tell: () => void): void => {
    if (env.monotonic() < (next.get(about) ?? 0)) return;
    next.set(about, env.monotonic() + againMs);
    tell();
  };
  return {
    note: onNote,
    idle(about, waitedMs) {
      if (waitedMs < patienceMs) return;
      seldom('idle', () => {
        const lead = `No worker has taken stage ${about.key} for ${waited(waitedMs)}.`;
        queue.fleet.list().then(
          (workers) => onNote(`${lead} ${whyIdle(workers)}`),
          () => onNote(`${lead} The state server does not tell who is there.`),
        );
      });
    },
    silent(error) {
      seldom('silent', () => onNote(`${messageOf(error)} What is under way is waited for.`));
    },
  };
}

function whyIdle(workers: Awaited<ReturnType<Queue['fleet']['list']>>): string {
  const alive = workers.filter(({ silentMs }) => silentMs < 10_000);
  const fit = alive.filter(({ format }) => format === jobFormat);
  const start = 'Start one on a host with this project: agov worker';
  if (alive.length === 0) return `There is none. ${start}`;
  const other = alive[0];
  if (fit.length === 0 && other)
    return `None fits: ${other.name} is agov ${other.version} and takes jobs of format ${other.format}, not ${jobFormat}. Bring it to this version, or start another.`;
  const held = fit.filter(({ order }) => order !== 'go');
  if (held.length === fit.length) return `All are held back: agov worker resume ${held[0]?.name ?? '--all'}`;
  return `All are at work: ${fit.map(({ name, running, concurrency }) => `${name} ${running}/${concurrency}`).join(', ')}.`;
}
