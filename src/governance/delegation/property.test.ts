/** Over generated trees and generated requests nothing ever has more than any that stand above it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AgentRecord } from '../../adapters/state/port.ts';
import { isoTime } from '../../kernel/index.ts';
import { type Tier, tierLevel, tiers } from '../../schemas/index.ts';
import { lineIn } from '../standing/index.ts';
import {
  endOf,
  type Handed,
  isWithin,
  type Line,
  type Member,
  refusalToLease,
  refusalToSpawn,
  standingIn,
} from './index.ts';

const now = 1_000_000;
const tier = fc.constantFrom(...tiers.slice(0, 3));
const secret = fc.constantFrom('dev/db', 'dev/*', 'dev/mail/key', 'dev/mail/*', 'staging/db', 'staging/*', 'devil/db');
const step = fc.oneof(
  fc.record({
    do: fc.constant('spawn' as const),
    asker: fc.nat(20),
    parent: fc.nat(20),
    tier,
    needs: tier,
    until: fc.integer({ min: now - 500, max: now + 2000 }),
    secrets: fc.uniqueArray(secret, { maxLength: 3 }),
  }),
  fc.record({
    do: fc.constant('change' as const),
    whom: fc.nat(20),
    to: fc.constantFrom<AgentRecord['status']>('active', 'frozen', 'retired', 'revoked'),
    tier,
  }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.nat(400) }),
);
const bounds = { depth: 3, members: 3 };

interface Tree {
  readonly members: Map<string, Member>;
  at: number;
}

const record = (name: string, of: Tier, parent?: string): AgentRecord => ({
  ...{ name, tier: of, status: 'active', operator: 'ada', createdAt: 0, changedAt: 0 },
  ...(parent === undefined ? {} : { parent }),
});
const member = ({ members }: Tree, name: string): Member =>
  members.get(name) ?? { name, agent: undefined, handed: undefined };
const lineOf = (tree: Tree, name: string): Line => lineIn((one) => member(tree, one), name);
const nth = (tree: Tree, i: number): string => [...tree.members.keys()][i % tree.members.size] ?? '';
const active = (tree: Tree, name: string) => standingIn(lineOf(tree, name), tree.at)?.status === 'active';

function living(tree: Tree, root: string | undefined): number {
  return [...tree.members.keys()].filter(
    (name) => name !== root && lineOf(tree, name).at(-1)?.name === root && active(tree, name),
  ).length;
}

it('lets nothing exceed what stands above it in tier, time, secrets, depth and number', () => {
  let allowed = 0;
  fc.assert(
    fc.property(tier, fc.array(step, { maxLength: 40 }), (rootTier, steps) => {
      const tree: Tree = {
        at: now,
        members: new Map([['lead', { name: 'lead', agent: record('lead', rootTier), handed: undefined }]]),
      };
      for (const one of steps) {
        if (one.do === 'pass') tree.at += one.ms;
        else if (one.do === 'change') {
          const { name, agent, handed } = member(tree, nth(tree, one.whom));
          if (agent) tree.members.set(name, { name, handed, agent: { ...agent, status: one.to, tier: one.tier } });
        } else {
          const parent = nth(tree, one.parent);
          const line = lineOf(tree, parent);
          const wish = { ...one, parent };
          const scene = { asker: nth(tree, one.asker), line, living: living(tree, line.at(-1)?.name), now: tree.at };
          if (refusalToSpawn(wish, scene, bounds) !== undefined) continue;
          allowed += 1;
          const name = `a${tree.members.size}`;
          const handed: Handed = { parent, run: 'r', intent: 'i', until: isoTime(one.until), secrets: one.secrets };
          tree.members.set(name, { name, agent: record(name, one.tier, parent), handed });
          holdsWhenBorn(tree, name);
        }
        for (const name of tree.members.keys()) holdsAlways(tree, name);
      }
    }),
    { numRuns: 500 }, // of which few steps are such as are allowed
  );
  expect(allowed).toBeGreaterThan(20);
});

function holdsWhenBorn(tree: Tree, name: string): void {
  const line = lineOf(tree, name);
  const [child, parent] = line;
  expect(line.length).toBeLessThanOrEqual(bounds.depth + 1);
  expect(living(tree, line.at(-1)?.name)).toBeLessThanOrEqual(bounds.members);
  const above = standingIn(lineOf(tree, parent?.name ?? ''), tree.at);
  expect(above?.status).toBe('active');
  expect(tierLevel(child.agent?.tier ?? 'T4')).toBeLessThanOrEqual(tierLevel(above?.tier ?? 'T0'));
  expect(Date.parse(child.handed?.until ?? '')).toBeLessThanOrEqual(endOf(lineOf(tree, parent?.name ?? '')));
}

function holdsAlways(tree: Tree, name: string): void {
  const line = lineOf(tree, name);
  const own = standingIn(line, tree.at);
  for (const one of line.slice(1)) {
    const above = standingIn(lineOf(tree, one.name), tree.at);
    expect(tierLevel(own?.tier ?? 'T4')).toBeLessThanOrEqual(tierLevel(above?.tier ?? 'T0'));
    if (above?.status !== 'active') expect(own?.status).not.toBe('active');
    for (const path of ['dev/db', 'dev/mail/key', 'staging/db', 'devil/db', 'prod/db', 'dev', 'dev/../prod/db']) {
      if (refusalToLease(line, path) === undefined)
        expect(refusalToLease(lineOf(tree, one.name), path)).toBeUndefined();
    }
  }
  for (const one of line)
    if (one.handed && tree.at >= Date.parse(one.handed.until)) expect(own?.status).not.toBe('active');
}

it('takes a folder for what lies in it, and for nothing that only begins alike', () => {
  expect(isWithin('dev/a/b', ['dev/*'])).toBe(true);
  expect(isWithin('dev/a/*', ['dev/*'])).toBe(true);
  expect(isWithin('dev/*', ['dev/a/*', 'dev/a'])).toBe(false);
  expect(isWithin('devil/a', ['dev/*', 'dev'])).toBe(false);
  expect(isWithin('dev', ['dev/*'])).toBe(false);
});

it('counts those above also where what a child was handed says more than they have', () => {
  const handed = (parent: string, secrets: string[]): Handed => ({
    parent,
    run: 'r',
    intent: 'i',
    until: isoTime(now + 1000),
    secrets,
  });
  const bottom: Member = { name: 'c', agent: record('c', 'T1', 'b'), handed: handed('b', ['dev/*']) };
  const middle: Member = { name: 'b', agent: record('b', 'T1', 'a'), handed: handed('a', ['dev/db']) };
  const top: Member = { name: 'a', agent: record('a', 'T2'), handed: undefined };
  expect(refusalToLease([bottom, middle, top], 'dev/db')).toBeUndefined();
  expect(refusalToLease([bottom, middle, top], 'dev/mail')).toContain('did not hand down');
  expect(standingIn([bottom, middle, top], now)).toMatchObject({ status: 'active', tier: 'T1' });
  // One above whom nobody knows lends nothing.
  expect(standingIn([bottom, middle, { ...top, agent: undefined }], now)).toBeUndefined();
});

it('starts no more than may live at once', () => {
  const line: Line = [{ name: 'a', agent: record('a', 'T2'), handed: undefined }];
  const wish = { parent: 'a', tier: 'T0', needs: 'T0', until: now + 1, secrets: [] } as const;
  const refused = (living: number) => refusalToSpawn(wish, { asker: 'a', line, living, now }, bounds);
  expect([refused(bounds.members - 1), refused(bounds.members)]).toEqual([
    undefined,
    expect.stringContaining('teams.members'),
  ]);
});
