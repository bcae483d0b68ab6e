/** What the fake Vault knows of identities: who an alias leads to, and what groups give at the moment of asking. */

import type { Reply } from './recorded.ts';
import type { FakeGroup } from './shapes.ts';

export interface FakeEntity {
  readonly id: string;
  readonly name: string;
  disabled: boolean;
  policies: readonly string[];
  metadata: Readonly<Record<string, string>>;
}

export interface FakeAlias {
  readonly id: string;
  readonly name: string;
  readonly mount_accessor: string;
  readonly canonical_id: string;
}

export interface FakeRole {
  readonly role_id: string;
  settings: Readonly<Record<string, unknown>>;
  /** Not used yet: text to its end on the fake's clock. */
  readonly secretIds: Map<string, number>;
}

export interface Identities {
  /** By name. */
  readonly entities: Map<string, FakeEntity>;
  readonly aliases: Map<string, FakeAlias>;
  /** By `MOUNT/role/NAME`. */
  readonly roles: Map<string, FakeRole>;
  /** Answers in their envelopes, by the token that opens them. */
  readonly wrapped: Map<string, { readonly reply: Reply; readonly path: string; readonly until: number }>;
  /** Undefined for an id of nobody. */
  byId(id: string): FakeEntity | undefined;
  groupsOf(id: string): readonly FakeGroup[];
  /** Its own and those of its groups. */
  policiesOf(id: string): readonly string[];
  /** A number that was not given before. */
  next(): number;
}

export function identities(groups: ReadonlyMap<string, FakeGroup>): Identities {
  const entities = new Map<string, FakeEntity>();
  let count = 0;
  const byId = (id: string) => [...entities.values()].find((entity) => entity.id === id);
  const groupsOf = (id: string) => [...groups.values()].filter(({ member_entity_ids: has }) => has.includes(id));
  return {
    ...{ entities, aliases: new Map(), roles: new Map(), wrapped: new Map(), byId, groupsOf },
    policiesOf: (id) => [...(byId(id)?.policies ?? []), ...groupsOf(id).flatMap(({ policies }) => policies)],
    next: () => ++count,
  };
}
