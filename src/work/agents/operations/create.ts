/** The table of what an agent may ask, made for one asker, and the checks that come before each of them. */
import type { JsonObject } from '../../../kernel/index.ts';
import { activeAgent } from '../acting/active.ts';
import { hush } from '../acting/leases/index.ts';
import { aboutOperations } from './groups/about.ts';
import { actOperations } from './groups/acts.ts';
import { boardOperations } from './groups/board.ts';
import { lockOperations } from './groups/locks.ts';
import { runOperations } from './groups/runs.ts';
import { waitOperations } from './groups/wait.ts';
import type { Operation, Seat } from './operation.ts';
import type { OperationParts } from './parts.ts';
import { pace } from './slots.ts';

/** Disposing releases what the asker still holds. */
export interface AgentOperations extends AsyncDisposable {
  /** By name, in the order in which people read them. */
  readonly table: ReadonlyMap<string, Operation>;
}

const perSecond = 100;
const mostViolations = 20;

/** @param more operations that this asker has besides */
export function createOperations(parts: OperationParts, seat: Seat, more: readonly Operation[] = []): AgentOperations {
  const locks = lockOperations(parts, seat);
  const all = [
    ...aboutOperations(parts, seat),
    ...actOperations(parts, seat),
    ...waitOperations(parts, seat),
    ...locks.operations,
    ...boardOperations(parts, seat),
    ...runOperations(parts, seat),
    ...more,
  ];
  const guard = guarding(parts, seat);
  return {
    table: new Map(all.map((operation) => [operation.name, guard(operation)])),
    [Symbol.asyncDispose]: () => locks[Symbol.asyncDispose](),
  };
}

/** A revocation counts for what is asked after it, also over a connection that was open before. */
function guarding({ env, governor }: OperationParts, { channel, parent, secrets }: Seat) {
  const keepPace = pace(env, perSecond);
  const hushed = hush(secrets);
  let violations = 0;
  return (operation: Operation): Operation => ({
    ...operation,
    async perform(given, context) {
      keepPace();
      await activeAgent(governor, channel);
      if (!operation.redacts) hushed?.refuse(operation.name, given);
      const input = operation.redacts && hushed ? hushed.clean(given) : given;
      const claim = claimed(operation, input, { ...channel });
      // The schema refuses it below. That it was tried is recorded, but no agent may fill the ledger with it.
      if (claim && violations < mostViolations) {
        violations += 1;
        await governor.violation(
          channel,
          'claimed to be somebody else',
          { operation: operation.name, ...claim },
          parent,
        );
      }
      return operation.perform(input, context);
    },
  });
}

const identityKeys = ['from', 'agent', 'run', 'tier', 'workspace', 'operator', 'parent', 'budget', 'channel'] as const;

/** The first key by which a payload says who it comes from, if that is somebody else. */
function claimed(operation: Operation, input: unknown, own: Readonly<Record<string, unknown>>): JsonObject | undefined {
  if (typeof input !== 'object' || input === null) return undefined;
  for (const key of identityKeys) {
    if (!Object.hasOwn(input, key) || Object.hasOwn(operation.input.shape, key)) continue;
    const value: unknown = (input as Record<string, unknown>)[key]; // it was found to have that key
    if (value !== own[key]) return { key, value: String(value).slice(0, 200) };
  }
  return undefined;
}
