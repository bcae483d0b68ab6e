/** Agents by their definitions: the models that they may ask, and the kinds that there are. */
import type { Model } from '../../adapters/models/port.ts';
import type { Tool } from '../../adapters/tools/port.ts';
import type { Artifacts } from '../../governance/evidence/index.ts';
import { AgovError, parseDuration } from '../../kernel/index.ts';
import { nearest } from '../../schemas/index.ts';
import {
  createExplainAgent,
  createRunAgent,
  type ExplainAgent,
  functionKind,
  type KnownToAgents,
  llmKind,
  processKind,
  type RunAgent,
} from '../../work/agents/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';
import type { Breakers } from '../state/breakers.ts';
import type { Stores } from '../state/stores.ts';
import type { Acts } from './acts.ts';

export interface Agents {
  runAgent(): Promise<RunAgent>;
  /** What the rules would say to the run of an agent by its definition. */
  explainAgent(): Promise<ExplainAgent>;
  /** What definitions are checked against. */
  readonly knownToAgents: KnownToAgents;
}

export interface AgentsParts {
  readonly stores: Pick<Stores, 'ledger' | 'secrets' | 'sandbox'>;
  readonly rules: Pick<Rules, 'governor' | 'approvals' | 'budgets'>;
  readonly acts: Acts;
  readonly artifacts: Artifacts;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly breakers: Pick<Breakers, 'model'>;
}

export function openAgents({ env, config, root }: Frame, parts: AgentsParts): Agents {
  const { stores, rules, acts, artifacts, tools, breakers } = parts;
  const knownToAgents = { root, tools, models: new Set(Object.keys(config.models)) };

  const opened = new Map<string, Promise<Model>>();
  const model = async (name: string): Promise<Model> => {
    const settings = Object.hasOwn(config.models, name) ? config.models[name] : undefined;
    if (!settings) {
      const hint = nearest(name, Object.keys(config.models));
      throw new AgovError('NOT_FOUND', {
        what: `There is no model "${name}".`,
        fix: hint === undefined ? 'Set it up under "models" in agov.yaml.' : `Did you mean "${hint}"?`,
      });
    }
    const known = opened.get(name);
    if (known) return known;
    const made = breakers.model(async () =>
      (await import('../../adapters/models/sdk/index.ts')).openModel(name, settings, env),
    );
    opened.set(name, made);
    return made;
  };

  const runAgent = once(async () => {
    const governor = await rules.governor();
    const waiting = { ledger: await stores.ledger(), approvals: await rules.approvals() };
    const asking = {
      ...{ env, governor, artifacts, model, secrets: stores.secrets },
      graceMs: parseDuration(config.state.grace),
      budgets: await rules.budgets(),
    };
    const llm = llmKind({ ...asking, ...waiting, tools, operations: (seat) => acts.operations(seat) });
    const exec = await acts.exec();
    const process = processKind({ exec, artifacts, budgets: asking.budgets });
    const run = functionKind({ ...waiting, exec, artifacts, asking, root, sandbox: stores.sandbox });
    return createRunAgent({ governor, known: knownToAgents, kinds: { process, llm, function: run } });
  });

  const explainAgent = once(async () => createExplainAgent(await rules.governor(), knownToAgents));
  return { runAgent, explainAgent, knownToAgents };
}
