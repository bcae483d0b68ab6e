/** Whether the secrets that stages name are stored, and would be leased to who asks. Names alone are looked at. */
import { nearest } from '../../../schemas/index.ts';
import type { OutlookUnit } from '../../../work/pipeline/index.ts';
import type { CheckFinding, Look, PreflightParts } from '../types.ts';

interface Wish {
  readonly agent: string;
  readonly path: string;
  readonly variable: string;
  /** The first stage that has it. */
  readonly one: OutlookUnit;
}

export const checkSecrets: Look = async (parts, { units, agents }) => {
  const wishes = new Map<string, Wish>();
  for (const one of units) {
    for (const [variable, path] of Object.entries(one.spec.secrets)) {
      const { agent, expect } = one.spec;
      const key = `${agent} ${path}`;
      if (expect !== 'denied' && !wishes.has(key)) wishes.set(key, { agent, path, variable, one });
    }
  }
  if (wishes.size === 0) return [{ status: 'ok', what: 'None is asked for.' }];
  const active = new Set((await agents()).filter(({ status }) => status === 'active').map(({ name }) => name));
  const stored = ((await (await parts.secrets())?.list()) ?? []).map(({ path }) => path);
  const findings = await Promise.all([...wishes.values()].map((wish) => look(parts, wish, stored, active)));
  const wrong = findings.flat();
  return wrong.length > 0 ? wrong : [{ status: 'ok', what: `${wishes.size} stored and within reach; none was read.` }];
};

async function look(
  parts: PreflightParts,
  { agent, path, variable, one }: Wish,
  stored: readonly string[],
  active: ReadonlySet<string>,
): Promise<readonly CheckFinding[]> {
  const findings: CheckFinding[] = [];
  if (!stored.includes(path)) {
    const hint = nearest(path, stored);
    const fix = `${hint === undefined ? '' : `Did you mean "${hint}"? Or: `}agov secret set ${path}`;
    findings.push({
      status: 'failed',
      what: `Stage "${one.key}" asks for the secret ${path}, which is not stored.`,
      fix,
    });
  }
  if (!active.has(agent)) return findings;
  const channel = { agent, run: 'plan', workspace: parts.root };
  const intent = { action: 'secret.read', resource: path, args: { variable } } as const;
  const { decision } = await (await parts.governor()).explain(channel, intent);
  if (decision.verdict === 'allow') return findings;
  const what = `Stage "${one.key}" asks for the secret ${path}, which ${agent} would not get.`;
  const why = decision.reasons[0] ?? 'No rule permits it.';
  const fix = `An agent whose tier may read it, or another secret: agov explain --agent ${agent} secret.read ${path}`;
  return [...findings, { status: 'failed', what, why, fix }];
}
