/** What the rules would say to an agent's run by its definition: to the intent over it, since the rest hangs on what it does. */
import type { BeginOptions, Channel, Governor } from '../../../governance/governor/index.ts';
import type { Explanation } from '../../../governance/policy/index.ts';
import type { Intent } from '../../../schemas/index.ts';
import { activeAgent } from '../acting/active.ts';
import { execIntent } from '../acting/exec.ts';
import { type KnownToAgents, mustDefine } from './definition.ts';
import { mustFit } from './run.ts';
import type { Definition } from './types.ts';

/** @throws NOT_FOUND, AGENT_INVALID, AGENT_NOT_ACTIVE, DENIED where it is registered at another tier */
export type ExplainAgent = (channel: Channel, begin: BeginOptions) => Promise<Explanation>;

export function createExplainAgent(governor: Governor, known: KnownToAgents): ExplainAgent {
  return async (channel, begin) => {
    const definition = mustDefine(channel.agent, known);
    mustFit(definition, (await activeAgent(governor, channel)).tier);
    return governor.explain(channel, intentOf(definition), begin);
  };
}

function intentOf({ value: { runs, secrets } }: Definition): Intent {
  if (runs.llm) return { action: 'model.call', resource: runs.llm.model, args: {} };
  const [program = 'node', ...args] = runs.process?.command ?? [];
  return execIntent({ argv: [program, ...args], env: runs.process?.env ?? {}, secrets });
}
