/** Tools that are performed in this process: for an operator, or for the agent that the configuration of the client names. */
import { z } from 'zod';
import type { App } from '../../app/index.ts';
import { AgovError } from '../../kernel/index.ts';
import { type ContextSeat, contextOperations, type Operation } from '../../work/agents/index.ts';
import { changesNothing, type Tool, toolName } from './tool.ts';

export interface LocalOptions {
  /** Acts as this agent: each use is an intent. Else as an operator. */
  readonly agent?: string;
  readonly operator?: string;
}

/** @throws NOT_FOUND, AGENT_NOT_ACTIVE, DENIED */
export async function localTools(app: App, { agent, operator }: LocalOptions): Promise<readonly Tool[]> {
  // Whoever starts it answers for it. From inside of a governed run nobody is an operator, nor another agent.
  const by = app.operator(operator);
  const seat = agent === undefined ? operatorSeat(app, by) : await agentSeat(app, agent);
  return contextOperations(seat).map(toolOf);
}

function operatorSeat(app: App, by: ReturnType<App['operator']>): ContextSeat {
  return {
    home: undefined,
    memory: () => app.memoryOf(by),
    checkpoints: () => app.checkpointsOf(by),
    updateStatus: async (directory, wanted) => (await app.status()).update(directory, { ...wanted, by: by.operator }),
    views: {
      dashboard: async (directory, signal) => (await app.status()).dashboard(within(app, directory), { signal }),
      sweep: async (directory, signal) => (await app.status()).sweep(within(app, directory), { signal }),
    },
  };
}

/** One run for as long as the client stays, in the workspace of the whole project. */
async function agentSeat(app: App, agent: string): Promise<ContextSeat> {
  const { status } = await (await app.roster()).get(agent);
  if (status !== 'active') throw new AgovError('AGENT_NOT_ACTIVE', { what: `Agent "${agent}" is ${status}.` });
  const channel = { agent, run: app.ids(), workspace: app.project.root };
  return {
    home: `agent/${agent}`,
    memory: () => app.memoryFor(channel),
    checkpoints: () => app.checkpointsFor(channel),
    updateStatus: (directory, wanted) => app.updateStatusFor(channel, directory, wanted),
    views: app.statusViewsFor(channel),
  };
}

/** That it lies in the project is looked at where it is opened. */
function within(app: App, path: string): string {
  return path === '.' ? app.project.root : `${app.project.root}/${path}`;
}

function toolOf({ name, description, input, perform }: Operation): Tool {
  const { $schema: _draft, ...schema } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' });
  return {
    ...{ name: toolName(name), description, readOnly: changesNothing(name) },
    inputSchema: { ...schema, type: 'object' },
    call: (given, signal) => perform(given, { signal }),
  };
}
