/** The last look at an agent and its run before something starts in its name: much may have happened since the decision. */
import type { AgentRecord } from '../../../adapters/state/port.ts';
import type { Channel, Governor } from '../../../governance/governor/index.ts';
import { AgovError } from '../../../kernel/index.ts';

/** @throws AGENT_NOT_ACTIVE */
export async function activeAgent(governor: Governor, { agent: name, run }: Channel): Promise<AgentRecord> {
  const { agent, stopped } = await governor.standing({ agent: name, run });
  if (agent?.status === 'active' && stopped === undefined) return agent;
  const standing = agent ? `Agent "${name}" is ${agent.status}.` : `There is no agent "${name}".`;
  throw new AgovError('AGENT_NOT_ACTIVE', {
    what: stopped === undefined ? standing : `Run ${run} was killed: ${stopped}`,
    fix: stopped === undefined ? 'See "agov agent list".' : 'Start a new run.',
  });
}
