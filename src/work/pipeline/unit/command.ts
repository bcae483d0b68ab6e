/** The one intent of an attempt: a command in the sandbox, or a tool. */
import type { Writable } from 'node:stream';
import type { Tool } from '../../../adapters/tools/port.ts';
import type { Acted, BeginOptions, Channel } from '../../../governance/governor/index.ts';
import { AgovError, parseDuration } from '../../../kernel/index.ts';
import type { ArtifactRef, Stage } from '../../../schemas/index.ts';
import type { Exec, UseTool } from '../../agents/index.ts';
import type { Worker } from '../journal/index.ts';

export interface CommandParts {
  readonly exec: Exec;
  readonly useTool: UseTool;
  readonly tools: ReadonlyMap<string, Tool>;
  output?(unit: string, stream: 'stdout' | 'stderr'): Writable | undefined;
}

export interface CommandJob {
  readonly run: string;
  /** `unitKey`, under which its output is shown. */
  readonly key: string;
  /** Every `${{ … }}` filled in. */
  readonly stage: Stage;
  readonly workspace: string;
  /** The attempt, and its entry, which may still be on its way to the ledger: nothing may be done before it is there. */
  readonly begun: Begun;
  readonly signal: AbortSignal;
}

export interface Begun {
  readonly attempt: number;
  readonly id: string;
  /** What the intent rests on in the ledger, where it is not the entry of the attempt: that may be in another ledger. */
  readonly after?: string;
  readonly recorded: Promise<void>;
  /** By a driver before this one: it may have been done already. */
  readonly taken?: true;
}

/** By whom it was done, where that was not this process. */
export interface Elsewhere {
  readonly worker: Worker;
  /** What the stage declares, as the worker kept it. @throws AgovError where it could not be kept */
  kept(): readonly ArtifactRef[];
}

export type Performed = Acted<unknown> & { readonly elsewhere?: Elsewhere };

/** @throws AgovError WORKER_LOST where nobody will ever tell what came of it; that it is lost is on record then */
export type Perform = (job: CommandJob) => Promise<Performed>;

/** In this process. */
export function createPerform(parts: CommandParts): Perform {
  return (job) => act(parts, job);
}

async function act(parts: CommandParts, job: CommandJob): Promise<Acted<unknown>> {
  const { stage, key, signal, workspace, begun } = job;
  const channel: Channel = { agent: stage.agent, run: job.run, workspace };
  const begin: BeginOptions = {
    parent: begun.id,
    // The intent goes into the same transaction, or into a later one.
    after: begun.after ?? begun.id,
    ...(stage.gate === 'approval' ? { requireApprovals: 1 } : {}),
  };
  const limits = stage.timeout === undefined ? {} : { timeoutMs: parseDuration(stage.timeout) };
  if (stage.uses !== undefined) {
    const tool = parts.tools.get(stage.uses);
    if (!tool) throw new AgovError('NOT_FOUND', { what: `There is no tool "${stage.uses}".` });
    return parts.useTool({ channel, tool, args: stage.with ?? {}, begin, signal, ...limits });
  }
  const stdout = parts.output?.(key, 'stdout');
  const stderr = parts.output?.(key, 'stderr');
  return parts.exec({
    channel,
    argv: commandOf(stage),
    env: stage.env,
    secrets: stage.secrets,
    stdin: 'none',
    begin,
    signal,
    ...limits,
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
  });
}

export function commandOf({ run }: Stage): readonly [string, ...string[]] {
  if (typeof run === 'string') return ['sh', '-ceu', run];
  const [program, ...args] = run ?? [];
  if (program === undefined)
    throw new AgovError('INTERNAL', { what: 'A stage without command came through validation.' });
  return [program, ...args];
}
