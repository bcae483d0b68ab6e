/** Durations as people write them: `500ms`, `30s`, `15m`, `2h`, `7d`. */
import { AgovError } from './errors.ts';

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

export const durationPattern = /^(\d{1,9})(ms|s|m|h|d)$/;

/** Milliseconds in `text`. @throws AgovError INPUT_INVALID */
export function parseDuration(text: string): number {
  const match = durationPattern.exec(text);
  if (!match) {
    throw new AgovError('INPUT_INVALID', {
      what: `"${text}" is not a duration.`,
      fix: 'Write a whole number and a unit: 500ms, 30s, 15m, 2h or 7d.',
    });
  }
  // The pattern admits no unit but those of the table.
  return Number(match[1]) * unitMs[match[2] as Unit];
}

/** The shortest common form: `0.4 ms`, `12 ms`, `3.2 s`, `4m 05s`, `2h 10m`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
  return `${Math.floor(seconds / 3600)}h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}m`;
}
