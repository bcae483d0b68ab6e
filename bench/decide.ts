/** How fast policy decides, on top of the tiers' own rules, at 1, 10 and 100 project policies. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicySet, type PolicySet, type Question } from '../src/governance/policy/index.ts';
import { loadTiers } from '../src/governance/tiers/index.ts';
import { type Action, actions } from '../src/schemas/index.ts';

export interface DecideFigures {
  readonly projectPolicies: number;
  readonly spread: 'over all actions' | 'on one action';
  readonly loadMs: number;
  readonly allow: Timing;
  readonly deny: Timing;
  readonly rssMb: number;
}

interface Timing {
  readonly perSecond: number;
  readonly p50us: number;
  readonly p99us: number;
}

const counts = [1, 10, 100];
const warmUp = 500;
const measured = 4000;

export async function benchDecide(): Promise<{ readonly decide: readonly DecideFigures[] }> {
  const decide: DecideFigures[] = [];
  for (const count of counts) decide.push(await measure(count, 'over all actions'));
  decide.push(await measure(100, 'on one action'));
  return { decide };
}

async function measure(count: number, spread: DecideFigures['spread']): Promise<DecideFigures> {
  const projectDir = await project(count, spread);
  try {
    const tiers = await loadTiers();
    const began = performance.now();
    using set = await loadPolicySet({ tiers, projectDir });
    const loadMs = Math.round(performance.now() - began);
    const allow = time(set, question('T1', 'src/main.ts'), 'allow');
    const deny = time(set, question('T0', 'src/main.ts'), 'deny');
    const rssMb = Math.round(process.memoryUsage().rss / 1e6);
    return { projectPolicies: count, spread, loadMs, allow, deny, rssMb };
  } finally {
    await rm(projectDir, { recursive: true, force: true });
  }
}

function time(set: PolicySet, asked: Question, expected: string): Timing {
  const samples: number[] = [];
  for (let i = 0; i < warmUp + measured; i++) {
    const began = performance.now();
    const { verdict } = set.decide(asked);
    const took = performance.now() - began;
    if (verdict !== expected) throw new Error(`expected ${expected}, got ${verdict}`);
    if (i >= warmUp) samples.push(took);
  }
  const total = samples.reduce((sum, one) => sum + one, 0);
  samples.sort((a, b) => a - b);
  const at = (share: number): number => Math.round((samples[Math.floor(samples.length * share)] ?? 0) * 1000);
  return { perSecond: Math.round((samples.length / total) * 1000), p50us: at(0.5), p99us: at(0.99) };
}

function question(tier: Question['agent']['tier'], resource: string): Question {
  return {
    agent: { name: 'bench', tier },
    intent: { action: 'fs.write', resource, args: { bytes: 120 } },
    facts: { inWorkspace: true, protected: false },
    session: { intents: 3, denials: 0, secretReads: 0, netRequests: 0 },
    approvals: 0,
  };
}

/** Forbids over the session and the resource, such as a project has, each with its two examples. */
async function project(count: number, spread: DecideFigures['spread']): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'agov-bench-'));
  await mkdir(join(dir, 'policies'));
  const about = (i: number): Action =>
    spread === 'on one action' ? 'fs.write' : (spreadOver[i % spreadOver.length] ?? 'fs.write');
  const rules = Array.from({ length: count }, (_, i) => ({ id: `bench-${i}`, action: about(i), limit: 100 + i }));
  const cedar = rules.map(
    ({ id, action, limit }) => `@id("${id}")
forbid (principal, action == Agov::Action::"${action}", resource)
when { context.session.denials > ${limit} && principal.level <= 3 };`,
  );
  const examples = rules.map(({ id, action, limit }) => {
    const asked = `agent: { tier: T3 }, action: ${action}, resource: ${resources[action] ?? 'thing'}`;
    return `${id}:
  matches: [{ ${asked}, approvals: 3, session: { denials: ${limit + 1} } }]
  ignores: [{ ${asked}, approvals: 3, session: { denials: ${limit} } }]`;
  });
  await writeFile(join(dir, 'policies', 'bench.cedar'), cedar.join('\n\n'));
  await writeFile(join(dir, 'policies', 'bench.examples.yaml'), examples.join('\n'));
  return dir;
}

const spreadOver = actions
  .filter((action) => !action.startsWith('governance.'))
  .sort((a, b) => Number(b === 'fs.write') - Number(a === 'fs.write'));
const resources: { readonly [A in Action]?: string } = {
  'net.request': 'docs.example.com:443',
  'secret.write': 'prod/db',
};

if (import.meta.main) console.log(JSON.stringify(await benchDecide(), null, 2));
