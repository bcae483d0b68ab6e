/** Tools that are performed in this process: for an operator, or for the agent that the configuration of the client names. */
import { z } from 'zod';
import type { App } from '../../app/index.ts';
import { AgovError, type Json } from '../../kernel/index.ts';
import { jsonSchema } from '../../schemas/index.ts';
import { type ContextSeat, contextOperations, defineOperation, type Operation } from '../../work/agents/index.ts';
import { changesNothing, type Tool, toolName } from './tool.ts';

export interface LocalOptions {
  /** Acts as this agent: each use is an intent. Else as an operator. */
  readonly agent?: string;
  readonly operator?: string;
}

const mostRows = 200;

/** @throws NOT_FOUND, AGENT_NOT_ACTIVE, DENIED */
export async function localTools(app: App, { agent, operator }: LocalOptions): Promise<readonly Tool[]> {
  // Whoever starts it answers for it. From inside of a governed run nobody is an operator, nor another agent.
  const by = app.operator(operator);
  const seat = agent === undefined ? operatorSeat(app, by) : await agentSeat(app, agent);
  const views = agent === undefined ? viewOperations(app, seat) : [];
  return [...contextOperations(seat), ...views].map(toolOf);
}

function operatorSeat(app: App, by: ReturnType<App['operator']>): ContextSeat {
  return {
    home: undefined,
    memory: () => app.memoryOf(by),
    checkpoints: () => app.checkpointsOf(by),
    updateStatus: async (directory, wanted) => (await app.status()).update(directory, { ...wanted, by: by.operator }),
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
  };
}

/** What shows the whole project. */
function viewOperations(app: App, seat: ContextSeat): readonly Operation[] {
  const directory = z.string().min(1).max(1024).default('.').describe('From the project’s root.');
  return [
    defineOperation({
      name: 'checkpoint.report',
      description: 'Where the project stands now: files in flight, runs, approvals, failures, status and memory.',
      input: z.strictObject({}),
      output: jsonSchema,
      async perform() {
        const [{ parts }, memory] = await Promise.all([(await seat.checkpoints()).look(), seat.memory()]);
        const { entries } = await memory.list({ limit: 5 });
        return plain({ ...parts, recent: entries.map(({ id, title, kind, at }) => ({ id, title, kind, at })) });
      },
    }),
    defineOperation({
      name: 'status.sweep',
      description: 'What is wrong with the statuses: missing, stale, malformed, waiting for what is gone.',
      input: z.strictObject({ directory }),
      output: jsonSchema,
      async perform({ directory: path }, signal) {
        const report = await (await app.status()).sweep(within(app, path), { signal });
        return plain({ ...report, findings: report.findings.slice(0, mostRows), all: report.findings.length });
      },
    }),
    defineOperation({
      name: 'status.dashboard',
      description: 'How the work in each directory stands, with totals and what is stuck.',
      input: z.strictObject({ directory }),
      output: jsonSchema,
      async perform({ directory: path }, signal) {
        const board = await (await app.status()).dashboard(within(app, path), { signal });
        return plain({ ...board, rows: board.rows.slice(0, mostRows), all: board.rows.length });
      },
    }),
  ];
}

/** That it lies in the project is looked at where it is opened. */
function within(app: App, path: string): string {
  return path === '.' ? app.project.root : `${app.project.root}/${path}`;
}

/** What is undefined is left out, as in any JSON. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

function toolOf({ name, description, input, perform }: Operation): Tool {
  const { $schema: _draft, ...schema } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' });
  return {
    ...{ name: toolName(name), description, readOnly: changesNothing(name) },
    inputSchema: { ...schema, type: 'object' },
    call: (given, signal) => perform(given, { signal }),
  };
}
