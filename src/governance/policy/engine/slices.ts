/** Policies by action, each slice parsed when it is first asked: a decision costs only what can apply to it. */
import type { Action } from '../../../schemas/index.ts';
import type { Rule } from '../rules/parse.ts';
import type { Engine, Slot } from './cedar.ts';

export interface Slice {
  readonly rules: readonly Rule[];
  readonly slot: Slot;
}

export interface Slices extends Disposable {
  of(action: Action): Slice;
}

export function slicesOf(engine: Engine, rules: readonly Rule[]): Slices {
  const slices = new Map<Action, Slice>();
  return {
    of(action) {
      const known = slices.get(action);
      if (known) return known;
      const own = rules.filter((rule) => rule.actions.includes(action));
      const slice = {
        rules: own,
        slot: engine.prepare(Object.fromEntries(own.map((rule) => [rule.id, rule.text]))),
      };
      slices.set(action, slice);
      return slice;
    },
    [Symbol.dispose]() {
      for (const { slot } of slices.values()) slot[Symbol.dispose]();
      slices.clear();
    },
  };
}
