/** What the rules would say to each stage, and whether there are operators enough for what would ask. */
import { consentOf } from '../../../schemas/index.ts';
import type { PlannedUnit } from '../../../work/pipeline/index.ts';
import type { CheckFinding, Look, Subject } from '../types.ts';

export const checkPolicy: Look = async (_parts, subject) => {
  const planned = await ofActive(subject);
  const findings = planned.flatMap(({ unit, agent, tier, verdict, expected, reason, policies }): CheckFinding[] => {
    if (verdict === 'deny' && !expected) {
      const by = policies.length > 0 ? ` (${policies.join(', ')})` : '';
      const fix = `See "agov pipeline plan" and "agov explain": another agent, another rule, or not at all.`;
      return [
        {
          status: 'failed',
          what: `Stage "${unit}" would be denied to ${agent} (${tier}).`,
          why: `${reason}${by}`,
          fix,
        },
      ];
    }
    if (verdict !== 'allow' || !expected) return [];
    const what = `Stage "${unit}" is there to be refused, and would be allowed.`;
    return [{ status: 'failed', what, fix: 'Correct the rules, or take "expect: denied" out.' }];
  });
  if (findings.length > 0) return findings;
  const count = (one: PlannedUnit['verdict']): number => planned.filter(({ verdict }) => verdict === one).length;
  const later = count('later') === 0 ? '' : `, ${count('later')} can be told at the run alone`;
  return [{ status: 'ok', what: `${count('allow')} allowed, ${count('ask')} would ask${later}.` }];
};

export const checkApprovals: Look = async ({ config: { operators } }, subject) => {
  const asking = (await ofActive(subject)).filter(({ verdict }) => verdict === 'ask');
  if (asking.length === 0) return [{ status: 'ok', what: 'Nothing would ask.' }];
  const gates = new Map(subject.units.map(({ key, spec }) => [key, consentOf(spec.gate)]));
  const lacking = asking.flatMap(({ unit, quorum = 1 }): CheckFinding[] => {
    const roles = gates.get(unit)?.roles;
    const able = operators.filter((one) => roles === undefined || one.roles.some((role) => roles.includes(role)));
    if (quorum <= able.length) return [];
    const who = roles === undefined ? 'operators' : `operators who are ${roles.join(' or ')}`;
    const what = `Stage "${unit}" needs ${quorum} ${who}, and agov.yaml names ${able.length}.`;
    const fix = `Name more people under "operators" in agov.yaml${roles === undefined ? '' : ', with their roles'}.`;
    return [{ status: 'failed', what, fix }];
  });
  const [needed, first] = [asking.reduce((sum, { quorum = 1 }) => sum + quorum, 0), asking.slice(0, 3)];
  const names = first.map(({ unit }) => unit).join(', ');
  const what = `${needed} ${needed === 1 ? 'approval' : 'approvals'} will be asked for: ${names}${asking.length > 3 ? ', …' : ''}.`;
  return [...lacking, { status: 'warn', what, fix: 'Be at the terminal, or answer later: agov approvals' }];
};

/** Those of agents that may not act are told by another check. */
async function ofActive({ agents, planned }: Subject): Promise<readonly PlannedUnit[]> {
  const active = new Set((await agents()).filter(({ status }) => status === 'active').map(({ name }) => name));
  return (await planned()).filter(({ agent }) => active.has(agent));
}
