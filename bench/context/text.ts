/** Text as it comes: records of a log, notes of Zipf-distributed words. The same for the same numbers. */

export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const nouns =
  'request connection user database query timeout cache retry worker queue message service payment order session token index shard replica commit rollback fetch parse render upload download stream buffer socket handler middleware router controller'.split(
    ' ',
  );
const levels = ['INFO', 'INFO', 'INFO', 'DEBUG', 'WARN', 'ERROR'];

/** About `bytes` of a log. */
export function logText(bytes: number, seed: number): string {
  const next = numbers(seed);
  const noun = (): string => nouns[next() % nouns.length] ?? '';
  const lines: string[] = [];
  let time = Date.UTC(2026, 0, 1);
  for (let length = 0; length < bytes; ) {
    time += next() % 500;
    const [level, id, took] = [levels[next() % levels.length], next().toString(16), next() % 5000];
    const line = `${new Date(time).toISOString()} ${level} [${noun()}-${next() % 64}] ${noun()} ${noun()} ${noun()} id=${id} took ${took}ms path=/api/v1/${noun()}/${next() % 100_000}\n`;
    lines.push(line);
    length += line.length;
  }
  return lines.join('');
}

const vocabulary = 50_000;

/** A word, the first ones far more often than the last. */
export function word(next: () => number): string {
  const place = Math.floor(vocabulary ** ((next() % 1_000_000) / 1_000_000));
  return `w${place.toString(36)}`;
}

/** A note of about 420 bytes under a heading. */
export function note(next: () => number): string {
  const words = Array.from({ length: 90 }, () => word(next)).join(' ');
  return `## ${word(next)} ${word(next)}\n\n${words}\n\n`;
}
