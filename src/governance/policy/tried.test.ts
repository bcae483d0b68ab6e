import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, projectWith } from '../../../test/support/policy.ts';
import { loadTiers } from '../tiers/index.ts';
import { loadPolicySet, triedIn } from './index.ts';

const tiers = await loadTiers();
const files = (cedar: string, examples: string) => ({
  'policies/a.cedar': cedar,
  'policies/a.examples.yaml': examples,
});
const noForce = `@id("no-force")
forbid (principal, action == Agov::Action::"process.exec", resource)
when { context.argv.contains("--force") };
`;
const noForceExamples = `no-force:
  matches:
    - { agent: { tier: T1 }, action: process.exec, resource: git, args: { argv: [git, push, --force] }, verdict: deny }
  ignores:
    - { agent: { tier: T1 }, action: process.exec, resource: git, args: { argv: [git, status] }, verdict: allow }
`;

describe('policy sets that were tried before', () => {
  let folder: string;
  const triedAgain = async (cedar: string, examples: string): Promise<void> => {
    using project = projectWith(files(cedar, examples));
    using _ = await loadPolicySet({ tiers, projectDir: project.dir, tried: triedIn(folder) });
  };
  const known = (): string[] => readdirSync(folder);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'agov-tried-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are known by every byte that they were made of', async () => {
    await triedAgain(noForce, noForceExamples);
    const [first] = known();
    await triedAgain(noForce, noForceExamples);
    expect(known()).toEqual([first]);
    await triedAgain(`${noForce}\n`, noForceExamples);
    await triedAgain(noForce, `${noForceExamples}\n`);
    expect(known()).toHaveLength(3);
    expect(statSync(join(folder, first as string)).mode & 0o777).toBe(0o600);
  });

  it('are refused as ever where they are not in order, and never taken for known', async () => {
    const wrong = noForceExamples.replaceAll('--force', '--farce');
    for (let i = 0; i < 2; i++) await expect(triedAgain(noForce, wrong)).rejects.toThrow(/policy set/);
    expect(known()).toEqual([]);
  });

  it('are forgotten when they are many, and tried anew where nothing can be kept', async () => {
    for (let i = 0; i < 100; i++) writeFileSync(join(folder, `policy-${i}`), '');
    await triedAgain(noForce, noForceExamples);
    expect(known()).toHaveLength(1);
    using project = projectWith(files(noForce, noForceExamples));
    using set = await loadPolicySet({ tiers, projectDir: project.dir, tried: triedIn('/nowhere/at/all') });
    expect(set.size).toBeGreaterThan(50);
  });

  it.each(['forbid', 'permit'])(
    'give whoever forges a mark nothing: a %s that fails when it is asked denies',
    async (effect) => {
      const cedar = `@id("x")\n${effect} (principal, action == Agov::Action::"process.exec", resource) when { context.nothing };\n`;
      using project = projectWith({ 'policies/a.cedar': cedar });
      const marked = { has: () => true, add: () => undefined };
      using set = await loadPolicySet({ tiers, projectDir: project.dir, tried: marked });
      const decision = set.decide(
        ask('T1', 'process.exec', 'git', { facts: { program: '/usr/bin/git' }, args: { argv: ['git'] } }),
      );
      expect(decision).toMatchObject({
        verdict: 'deny',
        reasons: [expect.stringContaining('policy evaluation failed')],
      });
      await expect(loadPolicySet({ tiers, projectDir: project.dir })).rejects.toThrow(/policy set/);
    },
  );
});
