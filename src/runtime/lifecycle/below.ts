/** Who stands below those that something is done to, however deep: a lead's end is theirs. */
import type { AgentRecord } from '../../adapters/state/port.ts';
import type { Fleet, Found } from './fleet.ts';

/** Those that still may act, by their own record; without the agents themselves. */
export function foundBelow({ found }: Fleet, above: readonly string[]): readonly Found[] {
  const reached = new Set(above);
  const below: Found[] = [];
  // A child is never known before its parent, but the registry lists by name.
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const [name, one] of found) {
      const { parent } = one.record;
      if (parent === undefined || reached.has(name) || !reached.has(parent)) continue;
      reached.add(name);
      below.push(one);
    }
  }
  return below.filter(({ record }) => mayAct(record));
}

function mayAct({ status }: AgentRecord): boolean {
  return status === 'active' || status === 'frozen';
}
