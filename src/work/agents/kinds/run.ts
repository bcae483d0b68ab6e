/** Runs a registered agent by its definition, whichever kind it is of. */
import type { Acted, Governor } from '../../../governance/governor/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import type { Tier } from '../../../schemas/index.ts';
import { activeAgent } from '../acting/active.ts';
import { type KnownToAgents, mustDefine } from './definition.ts';
import type { AgentJob, AgentResult, Definition, KindName, Kinds } from './types.ts';

export interface RunAgentParts {
  readonly governor: Governor;
  readonly known: KnownToAgents;
  readonly kinds: Kinds;
}

/** @throws NOT_FOUND, AGENT_INVALID, AGENT_NOT_ACTIVE, DENIED where it is registered at another tier */
export type RunAgent = (job: RunJob) => Promise<Acted<AgentResult>>;

/** `as`: whose definition, of an agent that another has started. */
export type RunJob = Omit<AgentJob, 'definition'> & { readonly as?: string };

export function createRunAgent({ governor, known, kinds }: RunAgentParts): RunAgent {
  return async ({ as, ...job }) => {
    const definition = mustDefine(as ?? job.channel.agent, known);
    const { tier, parent } = await activeAgent(governor, job.channel);
    // What was handed less was meant to have less.
    if (parent === undefined || tier > definition.value.tier) mustFit(definition, tier);
    const name = Object.keys(definition.value.runs)[0] as KindName; // exactly one, by the schema
    const kind = kinds[name];
    if (!kind) {
      throw new AgovError('AGENT_INVALID', {
        what: `Agents of kind "${name}" cannot be run here.`,
        fix: `There are ${Object.keys(kinds).join(', ')}.`,
      });
    }
    return kind({ ...job, definition });
  };
}

/** Neither raised to what it needs, nor handed more than it says that it needs. @throws DENIED */
export function mustFit({ value: { name, tier: needed } }: Definition, tier: Tier): void {
  if (needed === tier) return;
  const [why, step] =
    needed > tier
      ? ['Nothing raises an agent but an operator.', 'promote']
      : ['It would have more rights than it needs.', 'demote'];
  throw new AgovError('DENIED', {
    what: `The definition of agent "${name}" is for ${needed}, and the agent is registered at ${tier}.`,
    why,
    fix: `Run "agov agent ${step} ${name} --to ${needed}", or change "tier" in its definition.`,
  });
}
