/** How a refusal is told: what, why, which policy, and what to do about it. */
import type { Begun } from '../../../governance/governor/index.ts';
import { ERROR_TABLE } from '../../../kernel/index.ts';
import { type Cli, oneLine } from './cli.ts';

/** Prints a verdict that is not `allow`, and gives the exit code for it. */
export function refused(cli: Cli, agent: string, begun: Exclude<Begun, { verdict: 'allow' }>): number {
  const { decision, id } = begun;
  const [reason = 'No policy permits it.'] = decision.reasons;
  const approval = begun.verdict === 'ask' ? begun.approval : undefined;
  const told = { verdict: begun.verdict, intent: id, decision, ...(approval ? { approval: approval.id } : {}) };
  if (cli.json) {
    cli.io.stderr.write(`${JSON.stringify(told)}\n`);
  } else {
    const by = decision.policies.length > 0 ? ` (${decision.policies.join(', ')})` : '';
    const lines = approval
      ? [
          `agov: agent "${agent}" needs approval for this.`,
          `  why: ${reason}${by}`,
          `  fix: an operator runs "agov approve ${approval.id}", then try again before ${approval.expiresAt}.`,
        ]
      : [
          `agov: agent "${agent}" may not do this.`,
          `  why: ${reason}${by}`,
          `  fix: see "agov agent show ${agent}", and "agov explain" for what would have to be different.`,
        ];
    cli.io.stderr.write(`${lines.map(oneLine).join('\n')}\n`);
  }
  return ERROR_TABLE[approval ? 'APPROVAL_REQUIRED' : 'DENIED'].exit;
}
