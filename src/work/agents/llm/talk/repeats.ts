/** Whether an agent goes in circles: the same call with the same result again and again, or the same few in turn. */
const longestCircle = 4;

/** `history`: digests of calls with their results, the newest last. */
export function inCircles(history: readonly string[], repeats: number): boolean {
  return Array.from({ length: longestCircle }, (_, i) => i + 1).some((period) => {
    const needed = period * repeats;
    if (history.length < needed) return false;
    const recent = history.slice(-needed);
    return recent.every((one, at) => one === recent[at % period]);
  });
}
