/** A run as it goes: a line when a stage starts and ends, its output if wanted, and the question of an approval. */
import { Writable } from 'node:stream';
import { confirm, isCancel } from '@clack/prompts';
import type { Approvals, PendingApproval } from '../../../../../governance/approvals/index.ts';
import { isAgovError, isoTime } from '../../../../../kernel/index.ts';
import type { Pipeline } from '../../../../../schemas/index.ts';
import type { OperatorAct } from '../../../../../work/agents/index.ts';
import { type Answer, type Unit, type UnitEnd, unitKey } from '../../../../../work/pipeline/index.ts';
import { type Cli, oneLine, printable } from '../../../frame/index.ts';

export interface Live {
  unit(unit: Unit, end: UnitEnd | 'started'): void;
  output(name: string): Writable | undefined;
}

export function showing(cli: Cli, pipeline: Pipeline, output: boolean): Live {
  const { dim, green, red, yellow } = cli.colors;
  const label = (unit: Unit): string => {
    const { agent } = (pipeline.stages[unit.stage] ?? pipeline.finally[unit.stage]) as { readonly agent: string };
    return `${unit.undo ? 'undo ' : ''}${unitKey({ ...unit, undo: undefined })} ${dim(`(${agent})`)}`;
  };
  return {
    unit(unit, end) {
      if (end === 'started') return cli.note(`${dim('▸')} ${label(unit)}`);
      if (end.status === 'parked') return cli.note(`${yellow('‖')} ${label(unit)} waits for approval ${end.approval}`);
      if (end.status === 'awaiting') {
        const until = end.until === undefined ? '' : ` until ${isoTime(end.until).slice(0, 19).replace('T', ' ')}`;
        return cli.note(`${yellow('‖')} ${label(unit)} waits for event "${end.event}"${until}`);
      }
      if (end.status === 'held') return cli.note(`${yellow('‖')} ${label(unit)} ${oneLine(end.reason)}`);
      const reason = end.reason === undefined ? '' : `: ${oneLine(end.reason)}`;
      if (end.status === 'skipped') return cli.note(`${dim('–')} ${label(unit)}${dim(reason)}`);
      if (end.status === 'retrying') return cli.note(`${yellow('↻')} ${label(unit)}${reason} It is tried again.`);
      cli.note(`${end.status === 'ok' ? green('✓') : red('✗')} ${label(unit)}${reason}`);
    },
    output: (name) => (output && !cli.json ? prefixed(cli, name) : undefined),
  };
}

/** Whole lines, each with its stage's name, so that stages side by side stay readable. */
function prefixed(cli: Cli, name: string): Writable {
  let rest = '';
  const line = (text: string): void => cli.note(`  ${cli.colors.dim(`${name} │`)} ${printable(text)}`);
  return new Writable({
    decodeStrings: false,
    write(chunk: Buffer | string, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) line(text);
      done();
    },
    final(done) {
      if (rest) line(rest);
      done();
    },
  });
}

/** Puts an approval to the operator: `--yes` gives it, a terminal asks, without one it waits. */
export function asking(
  cli: Cli,
  approvals: Approvals,
  policyVersion: string,
  by: OperatorAct,
  yes: boolean,
): (approval: PendingApproval, stage: string, signal: AbortSignal) => Promise<Answer> {
  const ask = async (approval: PendingApproval, stage: string, signal: AbortSignal): Promise<Answer> => {
    const missing = approval.quorum - approval.operators.length;
    const what = `${approval.agent} wants ${oneLine(`${approval.intent.action} ${approval.intent.resource}`)} (stage ${stage})`;
    if (approval.operators.includes(by.operator)) return 'later';
    if (signal.aborted || (!yes && !cli.interactive)) return 'later';
    if (!approvals.mayConsent(approval, by.operator)) {
      cli.note(
        `  ${what}: that takes an operator with the role ${approval.roles.join(' or ')}; ${by.operator} has not.`,
      );
      return 'later';
    }
    if (!yes) {
      for (const reason of approval.reasons) cli.note(`  ${cli.colors.dim(oneLine(reason))}`);
      cli.note(`  ${cli.colors.dim(oneLine(JSON.stringify(approval.intent.args)))}`);
      const answer = await confirm({ message: `${what}. Approve as ${by.operator}?`, initialValue: false, signal });
      if (isCancel(answer)) return 'later';
      if (!answer) {
        await approvals.deny(approval.id, { ...by, via: 'terminal' }, 'refused at the terminal');
        return 'denied';
      }
    }
    try {
      await approvals.approve(approval.id, { ...by, via: yes ? '--yes' : 'terminal' }, policyVersion);
    } catch (error) {
      // Somebody else answered meanwhile: the next try shows how.
      if (!isAgovError(error, 'APPROVAL_INVALID', 'CONFLICT', 'LEDGER_CLAIMED')) throw error;
      return 'approved';
    }
    cli.note(`  ${cli.colors.yellow('approved')} by ${by.operator}${yes ? ' (--yes)' : ''}: ${what}`);
    return missing > 1 ? 'later' : 'approved';
  };
  // Stages side by side may ask at once: two questions on one terminal could not be told apart.
  let turn: Promise<unknown> = Promise.resolve();
  return (approval, stage, signal) => {
    const answer = turn.then(() => ask(approval, stage, signal));
    turn = answer.catch(() => undefined); // the stage that asked gets it
    return answer;
  };
}
