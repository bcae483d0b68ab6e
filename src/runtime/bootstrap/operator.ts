/** Who is at the keyboard. An operator's act never comes from inside a governed process, whatever name it gives. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { AgovError } from '../../kernel/index.ts';
import { type Config, nearest } from '../../schemas/index.ts';
import type { OperatorAct } from '../../work/agents/index.ts';

/**
 * The operator named `as`, or else the first whose `user` is the system user, or else the first without one.
 * @throws DENIED from inside a governed process, or for an operator that belongs to another user
 */
export function identifyOperator(config: Config, as: string | undefined): OperatorAct {
  refuseInsideRun();
  const { username: user } = userInfo();
  const mine = config.operators.filter((operator) => operator.user === user || operator.user === undefined);
  if (as === undefined) {
    const [operator] = mine;
    if (operator) return { operator: operator.name, user };
    throw notYours(`No operator belongs to the system user "${user}".`);
  }
  const named = config.operators.find((operator) => operator.name === as);
  if (!named) {
    const known = config.operators.map((operator) => operator.name);
    const meant = nearest(as, known);
    throw new AgovError('NOT_FOUND', {
      what: `There is no operator "${as}".`,
      why: `agov.yaml lists ${known.join(', ')}.`,
      fix: meant ? `Did you mean "${meant}"?` : 'Add the operator to agov.yaml.',
    });
  }
  if (!mine.includes(named))
    throw notYours(`Operator "${as}" belongs to the system user "${named.user}", not to "${user}".`);
  return { operator: named.name, user };
}

function notYours(why: string): AgovError {
  return new AgovError('DENIED', {
    what: 'You may not act as this operator.',
    why,
    fix: 'See "operators" in agov.yaml.',
  });
}

/** An agent that reaches the command line (possible under `sandbox: none`) must not consent to its own intents. */
function refuseInsideRun(): void {
  for (let pid = process.pid; pid > 1; pid = parentOf(pid)) {
    if (!environmentOf(pid).some((line) => line.startsWith('AGOV_RUN='))) continue;
    throw new AgovError('DENIED', {
      what: 'This is an operator’s act, and it was tried from inside a governed run.',
      why: `Process ${pid} runs as an agent.`,
      fix: 'Do it from a terminal of your own.',
    });
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return []; // another user's process: no agent of ours runs there
  }
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0; // it ended while we looked
  }
}
