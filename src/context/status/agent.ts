/**
 * An agent's change of a status: an intent to write that file, with the digest of what it is to hold, before it is written.
 * Where somebody saves meanwhile that intent has failed, and the next one holds what is written then.
 */
import { join, resolve } from 'node:path';
import type { Acted, BeginOptions, Channel, Governor } from '../../governance/governor/index.ts';
import { AgovError, sha256Hex } from '../../kernel/index.ts';
import type { Dashboard } from './overview/index.ts';
import type { Status, SweepReport } from './status.ts';
import { openPlace, type Updated, type Wanted } from './update/index.ts';

type Refused = Exclude<Acted<unknown>, { readonly verdict: 'allow' }>;

export interface Agent {
  readonly channel: Channel;
  readonly governor: Pick<Governor, 'act'>;
  /** The intent above. */
  readonly parent?: string;
}

/** `directory` is relative to the agent's workspace. @throws DENIED, APPROVAL_REQUIRED, and as `Status.update` */
export function agentUpdate(
  status: Status,
  { channel, governor, parent }: Agent,
  directory: string,
  wanted: Omit<Wanted, 'by'>,
): Promise<Updated> {
  const options: BeginOptions = parent === undefined ? {} : { parent };
  return status.update(
    directory,
    { ...wanted, by: channel.agent },
    {
      root: channel.workspace,
      async within(write, { file, content }) {
        const args = { sha256: sha256Hex(content), size: content.length };
        const intent = { action: 'fs.write', resource: file, args } as const;
        const acted = await governor.act(
          channel,
          intent,
          async () => ({ value: write(), outcome: { status: 'ok', facts: args } }),
          options,
        );
        if (acted.verdict !== 'allow') throw refused(channel.agent, `write ${file}`, acted);
      },
    },
  );
}

/** Of a directory of its workspace and what is below it; to look is an intent to read it. @throws as `agentUpdate` */
export async function agentView<View extends 'dashboard' | 'sweep'>(
  status: Pick<Status, View>,
  { channel, governor, parent }: Agent,
  directory: string,
  view: View,
  signal: AbortSignal,
): Promise<Viewed[View]> {
  using place = openPlace(channel.workspace, resolve(channel.workspace, directory));
  const at = join(channel.workspace, place.path);
  const look = (): Promise<unknown> => status[view](at, { signal });
  const acted = await governor.act(
    channel,
    { action: 'fs.read', resource: place.path || '.', args: { view } },
    async () => ({ value: await look(), outcome: { status: 'ok', facts: {} } }),
    parent === undefined ? {} : { parent },
  );
  if (acted.verdict !== 'allow') throw refused(channel.agent, `look at ${place.path || '.'}`, acted);
  return acted.value as Viewed[View]; // what its view gives
}

interface Viewed {
  readonly dashboard: Dashboard;
  readonly sweep: SweepReport;
}

function refused(agent: string, what: string, acted: Refused): AgovError {
  const why = acted.decision.reasons[0] ?? 'No policy permits it.';
  if (acted.verdict === 'deny') {
    return new AgovError('DENIED', { what: `Agent "${agent}" may not ${what}.`, why, details: { intent: acted.id } });
  }
  const { id, expiresAt } = acted.approval;
  return new AgovError('APPROVAL_REQUIRED', {
    what: `To ${what} needs approval.`,
    why,
    fix: `An operator runs "agov approve ${id}"; then try again before ${expiresAt}.`,
    details: { intent: acted.id, approval: id },
  });
}
