/**
 * `agov:observer` (T0) takes stock of a repository: what is in it, which secrets lie in it, where it and its infrastructure
 * have drifted. It reads and writes nothing, runs nothing of the repository, and takes nothing that it reads for an order.
 */
import type { Agent, Json } from '../../../../agent-client/index.ts';
import { advise, asJson, type Given } from '../frame/advice.ts';
import { type Listing, listFiles } from '../frame/files.ts';
import type { ObserverInput } from '../inputs.ts';
import { branchDrift } from './drift/branch.ts';
import { planDrift, stateDrift } from './drift/terraform.ts';
import { type Drift, findingsOf } from './findings.ts';
import type { Observation } from './observation.ts';
import { reportOf } from './report.ts';
import { findSecretsIn } from './secrets/find.ts';
import { takeInventory } from './stock/inventory.ts';

// biome-ignore lint/style/noDefaultExport: the runner of function agents reads it
export default async function observe(agent: Agent, given: Given<ObserverInput>): Promise<Json> {
  const { input, signal } = given;
  const listing = await listFiles();
  const wants = (part: ObserverInput['parts'][number]): boolean => input.parts.includes(part);
  const inventory = wants('inventory') ? takeInventory(listing) : undefined;
  const secrets = wants('secrets') ? await findSecretsIn(listing, input, signal) : undefined;
  const drift = wants('drift') ? await driftOf(listing, input) : undefined;
  const findings = findingsOf(secrets, drift);
  const seen: Observation = { clean: findings.length === 0, findings, inventory, secrets, drift };
  const advice = given.model ? { advice: await inShort(agent, given, seen) } : {};
  const observation: Observation = { ...seen, ...advice };
  await agent.keep('report.md', reportOf(observation));
  return asJson(observation);
}

async function driftOf({ files, git }: Listing, { upstream, plans }: ObserverInput): Promise<Drift> {
  return {
    branch: git ? await branchDrift(upstream) : undefined,
    states: stateDrift(files),
    plans: plans.map(planDrift),
  };
}

const schema = {
  type: 'object',
  properties: {
    summary: { type: 'string', minLength: 1, maxLength: 2000 },
    first: { type: 'array', maxItems: 10, items: { type: 'integer', minimum: 0 } },
  },
  required: ['summary', 'first'],
  additionalProperties: false,
} as const;
const mostShown = 100;

/** Which findings come first is advice as well: a number that means none is passed over. */
async function inShort(
  agent: Agent,
  given: Given<ObserverInput>,
  { findings, inventory }: Observation,
): Promise<NonNullable<Observation['advice']>> {
  const advised = await advise<{ summary: string; first: number[] }>(agent, given, {
    prompt: `An observer has looked at a repository. ${given.task}\nSum up for its operators what it is and what was found, in a few sentences, and name the findings to look at first by their numbers.`,
    data: asJson({
      findings: findings.slice(0, mostShown).map((finding, number) => ({ number, ...finding })),
      languages: inventory?.languages.slice(0, 10),
      infrastructure: inventory?.infrastructure.slice(0, 20),
      ci: inventory?.ci.slice(0, 20),
    }),
    schema,
  });
  if ('none' in advised) return advised;
  const { summary, first } = advised.answer;
  const named = [...new Set(first)].map((number) => findings[number]).filter((finding) => finding !== undefined);
  return { summary, first: named };
}
