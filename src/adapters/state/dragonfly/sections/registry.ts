/** Who exists and what runs now: a hash of records each, and the heartbeats beside the runs, since they alone change. */
import { z } from 'zod';
import { boundedInt, boundedName } from '../../bounds.ts';
import type { AgentRecord, LiveRun, Registry } from '../../port.ts';
import { acceptAgent, acceptRun, agentSchema, runSchema } from '../../records.ts';
import { storedJson } from '../../stored-json.ts';
import { done, type Scripts, script, wholeText, yesNo } from '../script.ts';

const agentText = storedJson.pipe(agentSchema).transform(
  // An absent reason is absent, not undefined.
  ({ reason, ...rest }): AgentRecord => ({ ...rest, ...(reason === undefined ? {} : { reason }) }),
);
const runText = storedJson.pipe(runSchema);

const put = script('agent.put', done, `redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) return 'done'`, 'again');
const get = script('agent.get', agentText.nullable(), `return redis.call('HGET', KEYS[1], ARGV[1])`, 'again');
const list = script('agent.list', z.array(agentText), `return redis.call('HVALS', KEYS[1])`, 'again');

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
  yesNo,
  `
  if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
  local last = whole(redis.call('HGET', KEYS[2], ARGV[1]))
  if not last then return corrupt('the heartbeat of run ' .. ARGV[1] .. ' is no number') end
  redis.call('HSET', KEYS[2], ARGV[1], text(math.max(last, tonumber(ARGV[2]))))
  return 1
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

export const registryScripts = [put, get, list, startRun, beat, endRun, liveRuns];

export function registry(scripts: Scripts, prefix: string): Registry {
  const agents = [`${prefix}agents`];
  const runs = [`${prefix}runs`, `${prefix}beats`];

  return {
    async put(agent) {
      const accepted = acceptAgent(agent);
      await scripts.run(put, agents, accepted.name, JSON.stringify(accepted));
    },
    async get(name) {
      return (await scripts.run(get, agents, boundedName('agent name', name))) ?? undefined;
    },
    async list() {
      const found = await scripts.run(list, agents);
      return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async startRun(run) {
      const accepted = acceptRun(run);
      await scripts.run(startRun, runs, accepted.run, JSON.stringify(accepted), accepted.beatAt);
    },
    async beat(run, at) {
      return scripts.run(beat, runs, boundedName('run', run), boundedInt('time of the heartbeat', at, 0));
    },
    async endRun(run) {
      await scripts.run(endRun, runs, boundedName('run', run));
    },
    async liveRuns(agent) {
      if (agent !== undefined) boundedName('agent name', agent);
      const found = await scripts.run(liveRuns, runs);
      return found
        .map(([run, beatAt]): LiveRun => ({ ...run, beatAt }))
        .filter((run) => agent === undefined || run.agent === agent)
        .sort((a, b) => a.startedAt - b.startedAt || (a.run < b.run ? -1 : 1));
    },
  };
}
