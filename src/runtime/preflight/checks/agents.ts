/** Whether those who are to do the work are registered and may act. */
import { nearest } from '../../../schemas/index.ts';
import type { CheckFinding, Look } from '../types.ts';

export const checkAgents: Look = async (_parts, { units, agents }) => {
  const known = new Map((await agents()).map((agent) => [agent.name, agent]));
  const wanted = [...new Set(units.map(({ spec }) => spec.agent))];
  const findings = wanted.flatMap((name): CheckFinding[] => {
    const agent = known.get(name);
    if (agent?.status === 'active') return [];
    const what = agent ? `Agent "${name}" is ${agent.status}.` : `There is no agent "${name}".`;
    if (agent?.status === 'frozen') return [{ status: 'failed', what, ...why(agent.reason), fix: `agov thaw ${name}` }];
    const other = 'Name another agent in the pipeline; one that was revoked or retired stays so.';
    if (agent) return [{ status: 'failed', what, ...why(agent.reason), fix: other }];
    const hint = nearest(name, known.keys());
    const fix = hint === undefined ? `agov agent add ${name}` : `Did you mean "${hint}"? Or: agov agent add ${name}`;
    return [{ status: 'failed', what, fix }];
  });
  if (findings.length > 0) return findings;
  const told = wanted.map((name) => `${name} ${known.get(name)?.tier}`);
  return [{ status: 'ok', what: `${told.join(', ') || 'None'}.` }];
};

function why(reason: string | undefined): { readonly why?: string } {
  return reason === undefined ? {} : { why: reason };
}
