/**
 * An agent's change of a status: an intent to write that file, with the digest of what it is to hold, before it is written.
 * Where somebody saves meanwhile that intent has failed, and the next one holds what is written then.
 */
import type { BeginOptions, Channel, Governor } from '../../governance/governor/index.ts';
import { AgovError, sha256Hex } from '../../kernel/index.ts';
import type { Status } from './status.ts';
import type { Updated, Wanted } from './update/index.ts';

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
        if (acted.verdict === 'allow') return;
        const why = acted.decision.reasons[0] ?? 'No policy permits it.';
        if (acted.verdict === 'deny') {
          const what = `Agent "${channel.agent}" may not write ${file}.`;
          throw new AgovError('DENIED', { what, why, details: { intent: acted.id } });
        }
        const { id, expiresAt } = acted.approval;
        throw new AgovError('APPROVAL_REQUIRED', {
          what: `To write ${file} needs approval.`,
          why,
          fix: `An operator runs "agov approve ${id}"; then try again before ${expiresAt}.`,
          details: { intent: acted.id, approval: id },
        });
      },
    },
  );
}
