/** Looks at who does the stages of pipelines, where that is not the process that runs them. */
import type { Finding, ProbeParts } from './types.ts';

const silentMs = 10_000;

export async function probeWorkers({ workers }: ProbeParts): Promise<Finding | undefined> {
  if (!workers) return undefined;
  const { listed, format } = await workers();
  const alive = listed.filter((one) => one.silentMs < silentMs);
  const [fit, held] = [alive.filter((one) => one.format === format), alive.filter((one) => one.order !== 'go')];
  const busy = alive.reduce((sum, one) => sum + one.running, 0);
  const room = alive.reduce((sum, one) => sum + one.concurrency, 0);
  const found = {
    figure: `${alive.length} workers, ${busy} of ${room} at work, ${held.length} held back`,
    facts: {
      workers: alive.length,
      running: busy,
      concurrency: room,
      held: held.length,
      otherFormat: alive.length - fit.length,
    },
  };
  const start = 'Pipelines with engine bullmq wait: start one, agov worker.';
  if (alive.length === 0) return { verdict: 'warn', ...found, remedy: start };
  const other = alive.find((one) => one.format !== format);
  if (other)
    return {
      verdict: 'warn',
      ...found,
      remedy: `${other.name} is agov ${other.version} and takes none of this host’s work.`,
    };
  if (held.length === alive.length) return { verdict: 'warn', ...found, remedy: 'agov worker resume --all' };
  return { verdict: 'ok', ...found };
}
