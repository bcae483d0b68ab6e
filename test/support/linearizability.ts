/**
 * Whether a history of lock calls can be explained by one lock that does one thing at a time (Wing and Gong 1993, with
 * the states that were seen remembered, after Lowe 2017). Each call takes effect at one moment between its start and its
 * end; one that failed takes effect at one moment or never. A grant may end by itself once its time is over, and must
 * not before.
 */
export type LockCall =
  | { readonly call: 'acquire'; readonly ttlMs: number; readonly result: Granted | 'denied' | 'unknown' }
  | { readonly call: 'renew'; readonly token: number; readonly ttlMs: number; readonly result: boolean | 'unknown' }
  | { readonly call: 'release'; readonly token: number; readonly result: boolean | 'unknown' }
  | { readonly call: 'holder'; readonly result: number | 'nobody' | 'unknown' };

export interface Granted {
  readonly token: number;
  readonly expiresAt: number;
}

/** Milliseconds of one clock that all callers and the server share. */
export type LockEvent = LockCall & { readonly start: number; readonly end: number };

/** The lock at a moment: who holds it, and between which times the grant ends. */
interface Lock {
  /** 0: nobody. -1: a grant whose token nobody was told. */
  readonly token: number;
  readonly endsFrom: number;
  readonly endsBy: number;
  /** The greatest token that anybody was told. */
  readonly greatest: number;
}

const free = { token: 0, endsFrom: 0, endsBy: 0 };
const untold = -1;

/**
 * Undefined if there is such an explanation; otherwise the longest prefix that has one, and what comes after it.
 * `skewMs`: by how much the clocks may differ.
 */
export function violation(history: readonly LockEvent[], skewMs = 0): string | undefined {
  const events = [...history].sort((a, b) => a.start - b.start);
  const seen = new Set<string>();
  let longest = 0;
  let stuck: readonly LockEvent[] = events;

  const explain = (left: readonly LockEvent[], lock: Lock): boolean => {
    if (left.every((event) => event.result === 'unknown')) return true;
    const state = `${left.map((event) => events.indexOf(event)).join()}|${lock.token},${lock.endsFrom},${lock.endsBy},${lock.greatest}`;
    if (seen.has(state)) return false;
    seen.add(state);
    if (events.length - left.length >= longest) {
      longest = events.length - left.length;
      stuck = left;
    }
    // Whoever began after another had ended cannot come before it.
    const firstEnd = Math.min(...left.map((event) => event.end));
    for (const event of left) {
      if (event.start > firstEnd) break;
      const rest = left.filter((other) => other !== event);
      for (const next of after(event, lock, skewMs)) if (explain(rest, next)) return true;
    }
    return false;
  };

  if (explain(events, { ...free, greatest: 0 })) return undefined;
  const next = stuck.slice(0, 4).map((event) => JSON.stringify(event));
  return `No order explains more than ${longest} of ${events.length} calls; then come\n${next.join('\n')}`;
}

/** Every lock that may be there when `event` has taken effect on `lock`; none if it cannot have. */
function after(event: LockEvent, lock: Lock, skewMs: number): readonly Lock[] {
  const mayHold = lock.token !== 0 && event.start - skewMs < lock.endsBy;
  const mayBeFree = lock.token === 0 || event.end + skewMs >= lock.endsFrom;
  const freed: Lock = { ...free, greatest: lock.greatest };
  const same = (token: number): boolean => lock.token === token || (lock.token === untold && token > lock.greatest);
  const until = (ttlMs: number) => ({ endsFrom: event.start + ttlMs - skewMs, endsBy: event.end + ttlMs + skewMs });

  switch (event.call) {
    case 'acquire': {
      const { result } = event;
      if (result === 'denied') return mayHold ? [lock] : [];
      if (result === 'unknown') {
        return mayBeFree ? [lock, { ...lock, token: untold, ...until(event.ttlMs) }] : [lock];
      }
      if (!mayBeFree || result.token <= lock.greatest) return [];
      // The grant says itself when it ends.
      const [endsFrom, endsBy] = [result.expiresAt, result.expiresAt];
      const honest = endsFrom >= until(event.ttlMs).endsFrom && endsBy <= until(event.ttlMs).endsBy;
      return honest ? [{ token: result.token, endsFrom, endsBy, greatest: result.token }] : [];
    }
    case 'renew': {
      const renewed = { ...lock, token: event.token, ...until(event.ttlMs) };
      const can = mayHold && same(event.token);
      if (event.result === 'unknown') return can ? [lock, renewed] : [lock];
      if (event.result) return can ? [renewed] : [];
      return lock.token !== event.token || mayBeFree ? [lock] : [];
    }
    case 'release': {
      const can = mayHold && same(event.token);
      if (event.result === 'unknown') return can ? [lock, freed] : [lock];
      if (event.result) return can ? [freed] : [];
      return lock.token !== event.token || mayBeFree ? [lock] : [];
    }
    case 'holder': {
      if (event.result === 'unknown') return [lock];
      if (event.result === 'nobody') return mayBeFree ? [lock] : [];
      if (!mayHold || !same(event.result)) return [];
      // Now we know whose it is.
      return [{ ...lock, token: event.result, greatest: Math.max(lock.greatest, event.result) }];
    }
  }
}
