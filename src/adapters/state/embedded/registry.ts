/** Who exists and what runs now. An agent's record is on disk when `put` returns: a revocation must not come undone. */
import { z } from 'zod';
import { boundedInt, boundedName } from '../bounds.ts';
import type { AgentRecord, LiveRun, Registry } from '../port.ts';
import { acceptAgent, acceptRun, agentSchema, runSchema } from '../records.ts';
import type { Database } from './store/database.ts';

const agentRow = z
  .strictObject({
    ...agentSchema.omit({ createdAt: true, changedAt: true, reason: true }).shape,
    created_at: agentSchema.shape.createdAt,
    changed_at: agentSchema.shape.changedAt,
    reason: z.string().nullable(),
  })
  .transform(
    ({ created_at, changed_at, reason, ...rest }): AgentRecord => ({
      ...rest,
      createdAt: created_at,
      changedAt: changed_at,
      ...(reason === null ? {} : { reason }),
    }),
  );

const runRow = z
  .strictObject({
    ...runSchema.pick({ run: true, agent: true, host: true }).shape,
    governor_pid: runSchema.shape.governorPid,
    process_group: runSchema.shape.processGroup,
    started_at: runSchema.shape.startedAt,
    beat_at: runSchema.shape.beatAt,
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
      const a = acceptAgent(agent);
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
      const r = acceptRun(run);
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
