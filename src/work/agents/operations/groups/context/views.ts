import { z } from 'zod';
import type { Json } from '../../../../../kernel/index.ts';
import { jsonSchema } from '../../../../../schemas/index.ts';
import { defineOperation, type Operation } from '../../operation.ts';
import type { ContextSeat } from './seat.ts';

const mostRows = 200;
const directory = z.string().min(1).max(1024).default('.').describe('From your workspace; `.` for all of it.');

/** What shows more than one thing at once. */
export function viewOperations(seat: ContextSeat): readonly Operation[] {
  return [
    defineOperation({
      name: 'checkpoint.report',
      description: 'Where the work stands now: files in flight, runs, approvals, failures, status and memory.',
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
        const report = await seat.views.sweep(path, signal);
        return plain({ ...report, findings: report.findings.slice(0, mostRows), all: report.findings.length });
      },
    }),
    defineOperation({
      name: 'status.dashboard',
      description: 'How the work in each directory stands, with totals and what is stuck.',
      input: z.strictObject({ directory }),
      output: jsonSchema,
      async perform({ directory: path }, signal) {
        const { rows, stuck, ...board } = await seat.views.dashboard(path, signal);
        const most = { rows: rows.slice(0, mostRows), stuck: stuck.slice(0, mostRows) };
        return plain({ ...board, ...most, all: rows.length, allStuck: stuck.length });
      },
    }),
  ];
}

/** What is undefined is left out, as in any JSON. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}
