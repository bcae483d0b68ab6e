/** The last look at an agent before something runs in its name: it may have been revoked since the decision. */
import type { AgentRecord, State } from '../../adapters/state/port.ts';
import { AgovError } from '../../kernel/index.ts';

/** @throws AGENT_NOT_ACTIVE */
export async function activeAgent(state: State, name: string): Promise<AgentRecord> {
  const agent = await state.registry.get(name);
  if (agent?.status === 'active') return agent;
  throw new AgovError('AGENT_NOT_ACTIVE', {
    what: agent ? `Agent "${name}" is ${agent.status}.` : `There is no agent "${name}".`,
    fix: 'See "agov agent list".',
  });
}
