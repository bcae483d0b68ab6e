/** Who exists and what runs now. An agent's record is on disk when `put` returns: a revocation must not come undone. */
import { z } from 'zod';
import { nameSchema, tierSchema } from '../../../schemas/index.ts';
import type { AgentRecord, LiveRun, Registry } from '../port.ts';
import { boundedInt, boundedName, invalid, isPrintable } from './bounds.ts';
import type { Database } from './store/database.ts';

const instant = z.int().min(0);
const line = z.string().min(1).max(512).refine(isPrintable, 'must hold printable characters only');

const agentShape = {
  name: nameSchema,
  tier: tierSchema,
  status: z.enum(['active', 'retired', 'revoked']),
  operator: line,
};
const agentInput = z.strictObject({
  ...agentShape,
  createdAt: instant,
  changedAt: instant,
  reason: z.string().max(4096).optional(),
});
const agentRow = z
  .strictObject({ ...agentShape, created_at: instant, changed_at: instant, reason: z.string().nullable() })
  .transform(
    ({ created_at, changed_at, reason, ...rest }): AgentRecord => ({
      ...rest,
      createdAt: created_at,
      changedAt: changed_at,
      ...(reason === null ? {} : { reason }),
    }),
  );

const runShape = { run: line, agent: line, host: line };
const runInput = z.strictObject({
  ...runShape,
  governorPid: z.int().min(1),
  processGroup: z.int().min(1),
  startedAt: instant,
  beatAt: instant,
});
const runRow = z
  .strictObject({
    ...runShape,
    governor_pid: z.int().min(1),
    process_group: z.int().min(1),
    started_at: instant,
    beat_at: instant,
  })
  .transform(
    (row): LiveRun => ({
      run: row.run,
      agent: row.agent,
      host: row.host,
      governorPid: row.governor_pid,
      processGroup: row.process_group,
      startedAt: row.started_at,
      beatAt: row.beat_at,
    }),
  );

const agentColumns = 'name, tier, status, operator, created_at, changed_at, reason';
const runColumns = 'run, agent, host, governor_pid, process_group, started_at, beat_at';

export function registry(db: Database): Registry {
  return {
    async put(agent) {
      const a = accept(agentInput, agent, 'agent record');
      const values = [a.name, a.tier, a.status, a.operator, a.createdAt, a.changedAt, a.reason ?? null];
      const sql = `REPLACE INTO agents (${agentColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
      db.write(() => db.run(sql, ...values), 'durable');
    },
    async get(name) {
      return db.one(agentRow, `SELECT ${agentColumns} FROM agents WHERE name = ?`, boundedName('agent name', name));
    },
    async list() {
      return db.all(agentRow, `SELECT ${agentColumns} FROM agents ORDER BY name`);
    },
    async startRun(run) {
      const r = accept(runInput, run, 'live run');
      const values = [r.run, r.agent, r.host, r.governorPid, r.processGroup, r.startedAt, r.beatAt];
      db.run(`REPLACE INTO runs (${runColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)`, ...values);
    },
    async beat(run, at) {
      const beatAt = boundedInt('time of the heartbeat', at, 0);
      return db.run('UPDATE runs SET beat_at = max(beat_at, ?) WHERE run = ?', beatAt, boundedName('run', run)) === 1;
    },
    async endRun(run) {
      db.run('DELETE FROM runs WHERE run = ?', boundedName('run', run));
    },
    async liveRuns(agent) {
      const order = 'ORDER BY started_at, run';
      if (agent === undefined) return db.all(runRow, `SELECT ${runColumns} FROM runs ${order}`);
      const name = boundedName('agent name', agent);
      return db.all(runRow, `SELECT ${runColumns} FROM runs WHERE agent = ? ${order}`, name);
    },
  };
}

function accept<T>(schema: z.ZodType<T>, value: unknown, subject: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(`The ${subject} is malformed.`, `Correct "${issue?.path.join('.')}": ${issue?.message}.`);
}
