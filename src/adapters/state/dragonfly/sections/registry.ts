/** Who exists and what runs now: a hash of records each, and the heartbeats beside the runs, since they alone change. */
import { z } from 'zod';
import { boundedInt, boundedName } from '../../bounds.ts';
import type { AgentRecord, LiveRun, Registry } from '../../port.ts';
import { acceptAgent, acceptRun, acceptStopped, agentSchema, runSchema } from '../../records.ts';
import { storedJson } from '../../stored-json.ts';
import { done, type Scripts, script, wholeText } from '../script.ts';

const agentText = storedJson.pipe(agentSchema).transform(
  // What is absent is absent, not undefined.
  ({ reason, parent, ...rest }): AgentRecord => ({
    ...rest,
    ...(reason === undefined ? {} : { reason }),
    ...(parent === undefined ? {} : { parent }),
  }),
);
const runText = storedJson.pipe(runSchema);

const put = script(
  'agent.put',
  done,
  `
  for i = 1, #ARGV - 1, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
  return 'done'
`,
  'again',
);
const get = script('agent.get', agentText.nullable(), `return redis.call('HGET', KEYS[1], ARGV[1])`, 'again');
const list = script('agent.list', z.array(agentText), `return redis.call('HVALS', KEYS[1])`, 'again');

const standings = script(
  'agent.standings',
  z.array(z.tuple([agentText.nullable(), z.string().nullable()])),
  `
  local found = {}
  for i = 1, #ARGV - 1, 2 do
    found[#found + 1] = {redis.call('HGET', KEYS[1], ARGV[i]), redis.call('HGET', KEYS[2], ARGV[i + 1])}
  end
  return found
`,
  'again',
);

const stopRun = script('run.stop', done, `redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return 'done'`, 'again');
const stoppedRuns = script('run.stopped', z.array(z.string()), `return redis.call('HGETALL', KEYS[1])`, 'again');

const startRun = script(
  'run.start',
  done,
  `
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  return 'done'
`,
  'again',
);

const beat = script(
  'run.beat',
  z.array(z.string()),
  `
  local missing = {}
  for i = 2, #ARGV - 1 do
    if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then
      missing[#missing + 1] = ARGV[i]
    else
      local last = whole(redis.call('HGET', KEYS[2], ARGV[i]))
      if not last then return corrupt('the heartbeat of intent ' .. ARGV[i] .. ' is no number') end
      redis.call('HSET', KEYS[2], ARGV[i], text(math.max(last, tonumber(ARGV[1]))))
    end
  end
  return missing
`,
  'again',
);

const endRun = script(
  'run.end',
  done,
  `
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
  return 'done'
`,
  'again',
);

const liveRuns = script(
  'run.list',
  z.array(z.tuple([runText, wholeText])),
  `
  local found = {}
  local rows = redis.call('HGETALL', KEYS[1])
  for i = 1, #rows, 2 do
    found[#found + 1] = {rows[i + 1], redis.call('HGET', KEYS[2], rows[i])}
  end
  return found
`,
  'again',
);

const runScripts = [startRun, beat, endRun, liveRuns];
export const registryScripts = [put, get, list, standings, stopRun, stoppedRuns, ...runScripts];

export function registry(scripts: Scripts, prefix: string): Registry {
  const agents = [`${prefix}agents`];
  const stopped = [`${prefix}stopped`];
  const runs = [`${prefix}runs`, `${prefix}beats`];

  const putAll = async (records: readonly AgentRecord[]): Promise<void> => {
    const accepted = records.map(acceptAgent);
    await scripts.run(put, agents, ...accepted.flatMap((agent) => [agent.name, JSON.stringify(agent)]));
  };

  return {
    put: (agent) => putAll([agent]),
    putAll,
    async get(name) {
      return (await scripts.run(get, agents, boundedName('agent name', name))) ?? undefined;
    },
    async list() {
      const found = await scripts.run(list, agents);
      return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async standings(actors) {
      const names = actors.flatMap(({ agent, run }) => [boundedName('agent name', agent), boundedName('run', run)]);
      const found = await scripts.run(standings, [...agents, ...stopped], ...names);
      return found.map(([agent, why]) => ({ agent: agent ?? undefined, stopped: why ?? undefined }));
    },
    async stopRun(mark) {
      const { run, reason } = acceptStopped(mark);
      await scripts.run(stopRun, stopped, run, reason);
    },
    async stoppedRuns() {
      const flat = await scripts.run(stoppedRuns, stopped);
      const marks = flat.flatMap((run, i) => (i % 2 === 0 ? [{ run, reason: flat[i + 1] ?? '' }] : []));
      return marks.sort((a, b) => (a.run < b.run ? -1 : 1));
    },
    async startRun(run) {
      const accepted = acceptRun(run);
      await scripts.run(startRun, runs, accepted.intent, JSON.stringify(accepted), accepted.beatAt);
    },
    async beat(intents, at) {
      const names = intents.map((intent) => boundedName('intent', intent));
      return scripts.run(beat, runs, boundedInt('time of the heartbeat', at, 0), ...names);
    },
    async endRun(intent) {
      await scripts.run(endRun, runs, boundedName('intent', intent));
    },
    async liveRuns(agent) {
      if (agent !== undefined) boundedName('agent name', agent);
      const found = await scripts.run(liveRuns, runs);
      return found
        .map(([run, beatAt]): LiveRun => ({ ...run, beatAt }))
        .filter((run) => agent === undefined || run.agent === agent)
        .sort((a, b) => a.startedAt - b.startedAt || (a.intent < b.intent ? -1 : 1));
    },
  };
}
