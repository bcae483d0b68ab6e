/** Acting over the socket, where anything but success ends the work: with the reason, or by waiting for operators. */
import { createHash } from 'node:crypto';
import type { Agent, Executed, Json, NotAllowed, ToolUse } from '../../../../agent-client/index.ts';

/** Ends the function for now: it is begun anew when operators have consented. */
export class Waiting extends Error {
  readonly waits: NotAllowed;

  constructor(waits: NotAllowed) {
    super(waits.reasons[0] ?? 'An operator must consent.');
    this.waits = waits;
  }
}

/** Has failed, with a report on how far it came. */
export class Failed extends Error {
  readonly output: Json;

  constructor(why: string, output: Json) {
    super(why);
    this.output = output;
  }
}

export interface Place {
  /** `.worktrees/NAME`. */
  readonly within?: string | undefined;
}

/** @throws Waiting, or an error with the reason of the denial or of the failure */
export async function use(agent: Agent, tool: string, args: Json, { within }: Place = {}): Promise<ToolUse> {
  const used = await agent.act(tool, args, { within });
  if (used.verdict !== 'allow') throw refusal(tool, used);
  if (used.status === 'failed') throw new Error(`${tool}: ${used.reason ?? 'it failed.'}`);
  return used;
}

function refusal(what: string, said: NotAllowed): Error {
  return said.verdict === 'ask' ? new Waiting(said) : new Error(`${what} is denied: ${said.reasons.join(' ')}`);
}

export interface Ran {
  readonly argv: readonly string[];
  readonly exitCode: number;
  readonly passed: boolean;
  readonly durationMs: number;
  /** The end of what it printed, without what looks like a secret. */
  readonly tail: string;
}

export interface RunOptions extends Place {
  readonly minutes: number;
  readonly isolated: boolean;
  readonly signal: AbortSignal;
  /** Takes out what looks like a secret. */
  clean(text: string): string;
}

const mostTail = 2000;

/** @throws Waiting, or an error where the rules deny it */
export async function run(
  agent: Agent,
  argv: readonly string[],
  { within, minutes, isolated, signal, clean }: RunOptions,
): Promise<Ran> {
  const [program = '', ...args] = argv;
  const done = await agent.exec([program, ...args], { within, isolated, timeoutMs: minutes * 60_000, signal });
  if (done.verdict !== 'allow') throw refusal(program, done);
  const { exitCode, durationMs } = done;
  return {
    ...{ argv, exitCode, passed: exitCode === 0 && done.stopped === undefined, durationMs: Math.round(durationMs) },
    tail: clean(endOf(done)),
  };
}

/** A secret must be seen whole to be taken out, so that the cut comes on a line. */
function endOf({ stdout, stderr, stopped }: Executed): string {
  const all = [stdout.text, stderr.text, stopped ?? ''].filter((text) => text !== '').join('\n');
  if (all.length <= mostTail) return all;
  const tail = all.slice(-mostTail);
  return tail.slice(tail.indexOf('\n') + 1);
}

/** Ends at the first that fails. */
export async function runAll(
  agent: Agent,
  commands: readonly (readonly string[])[],
  options: RunOptions,
): Promise<readonly Ran[]> {
  const all: Ran[] = [];
  for (const argv of commands) {
    const ran = await run(agent, argv, options);
    all.push(ran);
    if (!ran.passed) break;
  }
  return all;
}

export function digestOf(value: Json): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
