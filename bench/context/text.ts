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
function word(next: () => number): string {
  return `w${between(next, 1, vocabulary).toString(36)}`;
}

/** Numbers of which each power of ten has as many. */
function between(next: () => number, low: number, high: number): number {
  return Math.floor(low * (high / low) ** ((next() % 1_000_000) / 1_000_000));
}

/** A note of some 440 bytes under a heading: one part, since it is longer than the least. */
export function note(next: () => number): string {
  let words = '';
  while (words.length < 430) words += `${word(next)} `;
  return `## ${word(next)} ${word(next)}\n\n${words}\n\n`;
}

/** In a million notes: a word that is in one of ten or more, in one of a hundred or a thousand, in a few hundred. */
const bands = [
  [1, 100],
  [100, 3000],
  [3000, vocabulary],
] as const;

/** Two to four words, each as likely very common as middling or rare. */
export function question(next: () => number): string {
  return Array.from({ length: 2 + (next() % 3) }, () => {
    const [low, high] = bands[next() % bands.length] ?? bands[0];
    return `w${between(next, low, high).toString(36)}`;
  }).join(' ');
}
