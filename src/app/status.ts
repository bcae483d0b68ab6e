/** The statuses of the project's directories, for operators and for agents behind a channel. */
import { gitHistory } from '../adapters/history/git.ts';
import { agentUpdate, openStatus, type Status, type Updated, type Wanted } from '../context/status/index.ts';
import type { Channel } from '../governance/governor/index.ts';
import { type Frame, once } from './frame.ts';
import type { Rules } from './rules.ts';

export interface StatusDoor {
  status(): Promise<Status>;
  /** A change as the agent behind this channel: an intent to write that file, below `parent` where there is one. */
  updateStatusFor(channel: Channel, directory: string, wanted: Omit<Wanted, 'by'>, parent?: string): Promise<Updated>;
}

export function openStatusDoor(
  { env, ids, root, project, config, environment, keep }: Frame,
  rules: Rules,
): StatusDoor {
  const history = gitHistory(environment['PATH'] ?? '/usr/bin:/bin');
  const status = once(() =>
    keep(openStatus({ ...{ root, data: project.data, config: config.status, env, ids }, history })),
  );
  return {
    status,
    async updateStatusFor(channel, directory, wanted, parent) {
      const agent = { channel, governor: await rules.governor(), ...(parent === undefined ? {} : { parent }) };
      return agentUpdate(await status(), agent, directory, wanted);
    },
  };
}
