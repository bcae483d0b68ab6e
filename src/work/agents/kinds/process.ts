/** An agent that is a command: the task comes by variables, and what it prints is its answer. */
import type { Budgets } from '../../../governance/budgets/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import { AgovError, type Json, sha256Hex } from '../../../kernel/index.ts';
import type { Exec } from '../acting/exec.ts';
import { timeLeft, withBudget } from '../llm/index.ts';
import type { AgentResult, Kind } from './types.ts';

export interface ProcessParts {
  readonly exec: Exec;
  readonly artifacts: Artifacts;
  readonly budgets: Budgets;
}

/** Variables are part of the intent, and an entry of the ledger has an end. */
const maxTask = 16_384;
const maxAnswer = 1_048_576;

export function processKind({ exec, artifacts, budgets }: ProcessParts): Kind {
  return async ({ definition, task, input, begin, signal, timeoutMs, stdout, stderr, ...job }) => {
    const { secrets, runs } = definition.value;
    const [program, ...args] = runs.process?.command ?? [];
    if (program === undefined) throw new AgovError('INTERNAL', { what: 'A definition without command came through.' });
    const kept = await artifacts.put('definition', definition.text);
    const told = {
      AGOV_TASK: task,
      ...(input === undefined ? {} : { AGOV_INPUT: JSON.stringify(input) }),
      // On record with the command, so that it is known by which definition it ran.
      AGOV_DEFINITION: sha256Hex(definition.text),
    };
    const size = Buffer.byteLength(Object.values(told).join(''));
    if (size > maxTask) {
      throw new AgovError('INPUT_INVALID', {
        what: `The task and its input have ${size} bytes; a process is given ${maxTask} at most.`,
        fix: 'Put what is long into a file of the workspace, and name the file.',
      });
    }
    const channel = await withBudget(budgets, { ...job, definition, begin });
    const acted = await exec({
      ...{ channel, argv: [program, ...args], env: { ...runs.process?.env, ...told }, secrets },
      ...{ stdin: 'none', begin, signal },
      ...timeLeft(budgets, timeoutMs, channel),
      ...(stdout ? { stdout } : {}),
      ...(stderr ? { stderr } : {}),
    });
    if (acted.verdict !== 'allow') return acted;
    const { value, outcome } = acted;
    const printed = value.stdout;
    const text = printed && printed.size <= maxAnswer ? (await artifacts.get(printed.sha256)).toString('utf8') : '';
    const output = jsonIn(text);
    const all = [...(outcome.artifacts ?? []), kept];
    const result: AgentResult = {
      ...{ end: endOf(value.code, value.stopped), exitCode: value.code, text, artifacts: all },
      ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
      ...(output === undefined ? {} : { output }),
    };
    return { ...acted, outcome: { ...outcome, artifacts: all }, value: result };
  };
}

function endOf(code: number, stopped: string | undefined): string {
  if (stopped !== undefined) return 'stopped';
  return code === 0 ? 'finished' : 'failed';
}

/** Undefined where it printed something else. */
function jsonIn(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // a text then, which stages read as such
  }
}
