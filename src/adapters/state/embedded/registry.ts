/** Who exists and what runs now. An agent's record is on disk when `put` returns: a revocation must not come undone. */
import { z } from 'zod';
import { boundedInt, boundedName } from '../bounds.ts';
import type { AgentRecord, LiveRun, Registry, Standing } from '../port.ts';
import { acceptAgent, acceptRun, acceptStopped, agentSchema, runSchema, stoppedSchema } from '../records.ts';
import type { Database } from './store/database.ts';

const agentRow = z
  .strictObject({
    ...agentSchema.omit({ createdAt: true, changedAt: true, reason: true, parent: true }).shape,
    created_at: agentSchema.shape.createdAt,
    changed_at: agentSchema.shape.changedAt,
    reason: z.string().nullable(),
    parent: agentSchema.shape.name.nullable(),
  })
  .transform(
    ({ created_at, changed_at, reason, parent, ...rest }): AgentRecord => ({
      ...rest,
      createdAt: created_at,
      changedAt: changed_at,
      ...(reason === null ? {} : { reason }),
      ...(parent === null ? {} : { parent }),
    }),
  );

const runRow = z
  .strictObject({
    ...runSchema.pick({ intent: true, run: true, agent: true, host: true, sandbox: true }).shape,
    governor_pid: runSchema.shape.governorPid,
    process_group: runSchema.shape.processGroup,
    process_start: runSchema.shape.processStart,
    started_at: runSchema.shape.startedAt,
    beat_at: runSchema.shape.beatAt,
  })
  .transform(
    (row): LiveRun => ({
      ...{ intent: row.intent, run: row.run, agent: row.agent, host: row.host, sandbox: row.sandbox },
      governorPid: row.governor_pid,
      processGroup: row.process_group,
      processStart: row.process_start,
      startedAt: row.started_at,
      beatAt: row.beat_at,
    }),
  );

const agentColumns = 'name, tier, status, operator, created_at, changed_at, reason, parent';
const runColumns = 'intent, run, agent, host, sandbox, governor_pid, process_group, process_start, started_at, beat_at';

export function registry(db: Database): Registry {
  const get = (name: string): AgentRecord | undefined =>
    db.one(agentRow, `SELECT ${agentColumns} FROM agents WHERE name = ?`, boundedName('agent name', name));
  const stopped = (run: string): string | undefined =>
    db.one(stoppedSchema, 'SELECT run, reason FROM stopped WHERE run = ?', boundedName('run', run))?.reason;

  const putAll = (agents: readonly AgentRecord[]): void => {
    const sql = `REPLACE INTO agents (${agentColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    const rows = agents.map(acceptAgent);
    db.write(() => {
      for (const { name, tier, status, operator, createdAt, changedAt, reason, parent } of rows)
        db.run(sql, name, tier, status, operator, createdAt, changedAt, reason ?? null, parent ?? null);
    }, 'durable');
  };

  return {
    put: async (agent) => putAll([agent]),
    putAll: async (agents) => putAll(agents),
    async get(name) {
      return get(name);
    },
    async list() {
      return db.all(agentRow, `SELECT ${agentColumns} FROM agents ORDER BY name`);
    },
    async standings(actors) {
      return actors.map(({ agent, run }): Standing => ({ agent: get(agent), stopped: stopped(run) }));
    },
    async stopRun(mark) {
      const { run, reason } = acceptStopped(mark);
      db.write(() => db.run('REPLACE INTO stopped (run, reason) VALUES (?, ?)', run, reason), 'durable');
    },
    async stoppedRuns() {
      return db.all(stoppedSchema, 'SELECT run, reason FROM stopped ORDER BY run');
    },
    async startRun(run) {
      const r = acceptRun(run);
      const who = [r.intent, r.run, r.agent, r.host, r.sandbox];
      const values = [...who, r.governorPid, r.processGroup, r.processStart, r.startedAt, r.beatAt];
      db.run(`REPLACE INTO runs (${runColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ...values);
    },
    async beat(intents, at) {
      const beatAt = boundedInt('time of the heartbeat', at, 0);
      const names = intents.map((intent) => boundedName('intent', intent));
      const sql = 'UPDATE runs SET beat_at = max(beat_at, ?) WHERE intent = ?';
      return db.write(() => names.filter((intent) => db.run(sql, beatAt, intent) === 0));
    },
    async endRun(intent) {
      db.run('DELETE FROM runs WHERE intent = ?', boundedName('intent', intent));
    },
    async liveRuns(agent) {
      const order = 'ORDER BY started_at, intent';
      if (agent === undefined) return db.all(runRow, `SELECT ${runColumns} FROM runs ${order}`);
      const name = boundedName('agent name', agent);
      return db.all(runRow, `SELECT ${runColumns} FROM runs WHERE agent = ? ${order}`, name);
    },
  };
}
