/**
 * An agent that is a function: a module whose default export runs in the sandbox, with the agent's socket. The task goes
 * to it over the socket, and so does what it returns or throws.
 */
import { join } from 'node:path';
import type { Sandbox } from '../../../../adapters/sandbox/port.ts';
import type { Artifacts } from '../../../../governance/evidence/index.ts';
import type { Acted, End } from '../../../../governance/governor/index.ts';
import { AgovError, canonicalJson, type Json, type JsonObject, sha256Hex } from '../../../../kernel/index.ts';
import type { Exec, ExecResult } from '../../acting/exec.ts';
import { type AskParts, timeLeft, withBudget } from '../../llm/index.ts';
import type { AgentJob, AgentResult, Kind } from '../types.ts';
import { inputFor, moduleOf, runner } from './module.ts';
import { type Said, type Talk, talk } from './talk.ts';
import { hasWaited, questionOf, type WaitingParts } from './waiting.ts';

export interface FunctionParts extends WaitingParts {
  readonly exec: Exec;
  readonly artifacts: Artifacts;
  readonly sandbox: Pick<Sandbox, 'library'>;
  readonly asking: AskParts;
  /** Of the project. */
  readonly root: string;
}

type Question = Exclude<Acted<AgentResult>, { verdict: 'allow' | 'deny' }>;

const parkedExit = 75;

export function functionKind(parts: FunctionParts): Kind {
  const { exec, artifacts, sandbox, asking, root } = parts;
  return async (job) => {
    const { definition, task } = job;
    const { secrets, model, runs } = definition.value;
    if (runs.function === undefined) throw new AgovError('INTERNAL', { what: 'A definition without function came.' });
    const input = inputFor(definition, job.input);
    const { file, source, readOnly } = moduleOf(definition, sandbox, root);
    const kept = [await artifacts.put('definition', definition.text), await artifacts.put('function', source)];
    const channel = await withBudget(asking.budgets, job);
    const conversation = talk({ artifacts, asking }, task, input, model);
    let question: Question | undefined;
    const acted = await exec({
      ...{ channel, argv: ['node', join(sandbox.library, runner), file], secrets, stdin: 'none', signal: job.signal },
      ...{ begin: beginning(parts, job), readOnly, operations: conversation.operations },
      // On record with the command, so that it is known what ran, and on what.
      env: {
        ...{ AGOV_DEFINITION: sha256Hex(definition.text), AGOV_FUNCTION: sha256Hex(source) },
        AGOV_TASK_DIGEST: sha256Hex(canonicalJson({ task, input })),
      },
      async conclude(result, outcome) {
        const all = { ...outcome, artifacts: [...(outcome.artifacts ?? []), ...kept, ...conversation.kept()] };
        const said = conversation.said();
        if (said && 'waits' in said && result.stopped === undefined) {
          question = questionOf(parts, channel, said.waits);
          return question ? parked(all, question) : { ...all, status: 'failed', reason: answeredMeanwhile };
        }
        const output = said && 'output' in said ? said.output : undefined;
        const answer = output === undefined ? [] : [await artifacts.put('output', canonicalJson(output))];
        return judged({ ...all, artifacts: [...all.artifacts, ...answer] }, result, said);
      },
      ...timeLeft(asking.budgets, job.timeoutMs, channel),
      ...(job.stdout ? { stdout: job.stdout } : {}),
      ...(job.stderr ? { stderr: job.stderr } : {}),
    });
    if (acted.verdict !== 'allow') return acted;
    return question ?? { ...acted, value: resultOf(acted.value, acted.outcome, conversation) };
  };
}

const answeredMeanwhile = 'What it says that it waits for is no question of its own that is open.';

/** What a gate asked for was given when it began. */
function beginning(parts: WaitingParts, { channel, begin }: AgentJob): AgentJob['begin'] {
  const { requireApprovals: _given, roles: _roles, asks: _asks, ...again } = begin;
  return hasWaited(parts, channel, begin) ? again : begin;
}

/** It has ended as a process; its stage goes on when the operators have answered. */
function parked(outcome: End, { approval }: Question): End {
  const { reason: _reason, ...rest } = outcome;
  const facts: JsonObject = { ...outcome.facts, end: 'parked', exitCode: parkedExit, approval: approval.id };
  return { ...rest, status: 'ok', facts };
}

/** What it says counts as far as its process bears it out: an answer of one that was killed, or failed, is none. */
function judged(outcome: End, { code, stopped }: ExecResult, said: Said | undefined): End {
  if (stopped !== undefined) return outcome;
  if (said && 'error' in said) return { ...outcome, status: 'failed', reason: said.error };
  if (code === 0 && said === undefined) {
    return { ...outcome, status: 'failed', reason: 'It ended without an answer.' };
  }
  return outcome;
}

function resultOf({ code, stopped }: ExecResult, { status, reason, artifacts = [] }: End, { said }: Talk): AgentResult {
  const answer = said();
  const well = status === 'ok' && answer !== undefined && 'output' in answer;
  // Of one that has failed too: a report on what went wrong is worth reading.
  const output = answer && 'output' in answer && stopped === undefined ? answer.output : undefined;
  return {
    end: well ? 'finished' : stopped === undefined ? 'failed' : 'stopped',
    exitCode: well ? 0 : code || 1,
    text: well && output !== undefined ? textOf(output) : '',
    artifacts,
    ...(reason === undefined ? {} : { reason }),
    ...(output === undefined ? {} : { output }),
  };
}

function textOf(output: Json): string {
  return typeof output === 'string' ? output : JSON.stringify(output);
}
