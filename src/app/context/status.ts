/** The statuses of the project's directories, for operators and for agents behind a channel. */
import { gitHistory } from '../../adapters/history/git.ts';
import {
  agentUpdate,
  agentView,
  type Dashboard,
  openStatus,
  type Status,
  type SweepReport,
  type Updated,
  type Wanted,
} from '../../context/status/index.ts';
import type { Channel } from '../../governance/governor/index.ts';
import { type Frame, once } from '../frame.ts';
import type { Rules } from '../governance/rules.ts';

export interface StatusDoor {
  status(): Promise<Status>;
  /** A change as the agent behind this channel: an intent to write that file, below `parent` where there is one. */
  updateStatusFor(channel: Channel, directory: string, wanted: Omit<Wanted, 'by'>, parent?: string): Promise<Updated>;
  /** What the agent behind this channel sees of its workspace: an intent to read it. */
  statusViewsFor(channel: Channel, parent?: string): StatusViews;
}

export interface StatusViews {
  dashboard(directory: string, signal: AbortSignal): Promise<Dashboard>;
  sweep(directory: string, signal: AbortSignal): Promise<SweepReport>;
}

export function openStatusDoor(
  { env, ids, root, project, config, environment, keep }: Frame,
  rules: Rules,
): StatusDoor {
  const history = gitHistory(environment['PATH'] ?? '/usr/bin:/bin');
  const status = once(() =>
    keep(openStatus({ ...{ root, data: project.data, config: config.status, env, ids }, history })),
  );
  const agentOf = async (channel: Channel, parent: string | undefined) => ({
    ...{ channel, governor: await rules.governor() },
    ...(parent === undefined ? {} : { parent }),
  });
  return {
    status,
    statusViewsFor(channel, parent) {
      const agent = () => agentOf(channel, parent);
      return {
        dashboard: async (directory, signal) =>
          agentView(await status(), await agent(), directory, 'dashboard', signal),
        sweep: async (directory, signal) => agentView(await status(), await agent(), directory, 'sweep', signal),
      };
    },
    updateStatusFor: async (channel, directory, wanted, parent) =>
      agentUpdate(await status(), await agentOf(channel, parent), directory, wanted),
  };
}
