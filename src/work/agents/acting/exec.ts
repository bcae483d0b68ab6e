/**
 * Runs one command as an agent: intent, leases, sandbox, output kept by digest, outcome. A revocation that arrives while
 * it runs kills every process of the sandbox.
 */
import { PassThrough, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Invitation } from '../../../adapters/authority/port.ts';
import type { ExitStatus, Running, Sandbox, SandboxProfile } from '../../../adapters/sandbox/port.ts';
import type { Artifacts, StoredArtifact } from '../../../governance/evidence/index.ts';
import type { Acted, BeginOptions, Channel, Effected, End } from '../../../governance/governor/index.ts';
import { AgovError, type Env, formatDuration, type JsonObject, redactor } from '../../../kernel/index.ts';
import { type Intent, steersPrograms, type Tier } from '../../../schemas/index.ts';
import type { Operation, Seat } from '../operations/operation.ts';
import type { Watch } from '../stop/index.ts';
import { activeAgent } from './active.ts';
import { type LeaseParts, leaseAll } from './leases/index.ts';

export interface ExecRequest {
  readonly channel: Channel;
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Variables that tell it of itself, and are no part of what is judged: they differ each time. */
  readonly marks?: Readonly<Record<string, string>>;
  /** Environment variable to secret path: leased for this command alone. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** With which they are leased, where this host makes none itself. */
  readonly invitation?: Invitation | undefined;
  readonly stdin: 'inherit' | 'none';
  /** Where the redacted output goes as it comes, besides the record. */
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly timeoutMs?: number;
  /** Aborting kills the command. */
  readonly signal?: AbortSignal;
  /** Called once it runs: passes signals on. */
  readonly onStart?: (running: Running) => void;
  readonly begin?: BeginOptions;
  /** What its socket answers besides what every agent's does, once it is known under which intent. */
  readonly operations?: (seat: Seat) => readonly Operation[];
  /** Without socket and without a way out: what it runs is not trusted to act in the agent's name. */
  readonly isolated?: boolean;
  /** Has the last word on its outcome, before that is recorded. */
  readonly conclude?: (result: ExecResult, outcome: End) => Promise<End>;
  /** Absolute paths outside the workspace that it sees besides, read-only. */
  readonly readOnly?: readonly string[];
}

export interface ExecResult extends ExitStatus {
  readonly stdout: StoredArtifact | undefined;
  readonly stderr: StoredArtifact | undefined;
  /** Why it was killed, if it was. */
  readonly stopped: string | undefined;
}

export interface EgressDoor extends AsyncDisposable {
  readonly socket: string;
}

/** Where a running command reaches the governor, as the agent that it runs as. */
export interface SocketDoor extends AsyncDisposable {
  readonly path: string;
}

export interface ExecParts extends LeaseParts {
  readonly env: Env;
  readonly sandbox: Sandbox;
  readonly artifacts: Artifacts;
  readonly watch: Watch;
  /** Bytes of each stream to keep. */
  readonly keepOutput: number;
  profileOf(channel: Channel, tier: Tier): SandboxProfile;
  /** Opens the listed way out for one intent; undefined where the tier lists no hosts. */
  openEgress(channel: Channel, tier: Tier, intent: string): Promise<EgressDoor | undefined>;
  /** Opens the socket of one command; undefined where no surface speaks it. */
  openSocket(seat: Seat, more: readonly Operation[]): Promise<SocketDoor | undefined>;
}

export type Exec = (request: ExecRequest) => Promise<Acted<ExecResult>>;

export function createExec(parts: ExecParts): Exec {
  return async (request) => {
    const { channel } = request;
    return parts.governor.act(channel, execIntent(request), (id) => perform(parts, request, id), request.begin);
  };
}

/** What a command is judged by, and what an approval of it is for. @throws INPUT_INVALID for a variable that it may not have */
export function execIntent({
  argv,
  cwd,
  env = {},
  secrets = {},
  isolated = false,
}: Pick<ExecRequest, 'argv' | 'cwd' | 'env' | 'secrets' | 'isolated'>): Intent {
  refuseSteering([...Object.keys(env), ...Object.keys(secrets)]);
  const named = Object.keys(secrets).length > 0 ? { secrets: { ...secrets } } : {};
  // What a command does may hang on its variables as on its arguments.
  const given = Object.keys(env).length > 0 ? { env: { ...env } } : {};
  return {
    action: 'process.exec',
    resource: argv[0],
    args: { argv: [...argv], ...given, ...named, ...(cwd ? { cwd } : {}), ...(isolated ? { isolated } : {}) },
  };
}

/** The rules judge the program that the sandbox's own PATH leads to, and it alone must start. */
function refuseSteering(variables: readonly string[]): void {
  const name = variables.find(steersPrograms);
  if (name === undefined) return;
  throw new AgovError('INPUT_INVALID', {
    what: `The variable ${name} cannot be given to a command.`,
    why: 'It would start something else than the program that is judged.',
    fix: 'Name the program by its path, or set the variable in a script that the command runs.',
  });
}

async function perform(parts: ExecParts, request: ExecRequest, id: string): Promise<Effected<ExecResult>> {
  const { channel } = request;
  const { tier } = await activeAgent(parts.governor, channel);
  const { secrets: wanted = {}, invitation } = request;
  await using leases = await leaseAll(parts, { channel, tier, parent: id, wanted, invitation });
  const seat: Seat = { channel, parent: id, secrets: leases.values };
  await using egress = request.isolated ? undefined : await parts.openEgress(channel, tier, id);
  await using socket = request.isolated ? undefined : await parts.openSocket(seat, request.operations?.(seat) ?? []);
  const own = parts.profileOf(channel, tier);
  const profile: SandboxProfile = {
    ...own,
    readOnly: [...own.readOnly, ...(request.readOnly ?? [])],
    ...(egress ? { network: { mode: 'proxy', socket: egress.socket } } : {}),
    ...(socket ? { socket: socket.path } : {}),
  };
  const running = await parts.sandbox.start({
    argv: request.argv,
    ...(request.cwd ? { cwd: request.cwd } : {}),
    env: { ...request.env, ...request.marks, AGOV_AGENT: channel.agent, AGOV_RUN: channel.run, ...leases.env },
    stdin: request.stdin,
    profile,
  });
  request.onStart?.(running);
  const { timeoutMs, signal } = request;
  const stop = await parts.watch({ channel, tier, timeoutMs, signal }, running, id);
  try {
    const { stdout, stderr } = await record(parts, request, running, leases.values);
    const status = await running.exit;
    const result: ExecResult = { ...status, stdout, stderr, stopped: await stop.reason(status.signal === 'SIGKILL') };
    const outcome = outcomeOf(parts.sandbox.kind, result);
    return { value: result, outcome: (await request.conclude?.(result, outcome)) ?? outcome };
  } finally {
    await stop.end();
  }
}

/** Redacts both streams, shows them, and keeps them. */
async function record(parts: ExecParts, request: ExecRequest, running: Running, secrets: readonly string[]) {
  const redact = redactor(secrets);
  const keep = async (from: Running['stdout'], name: string, show: Writable | undefined) => {
    const kept = parts.artifacts.writer(parts.keepOutput);
    const tee = new PassThrough();
    const shown = show ? showing(tee, show) : undefined;
    await pipeline(from, redact.stream(), tee, kept.stream);
    shown?.end();
    return kept.commit(name);
  };
  const settled = await Promise.allSettled([
    keep(running.stdout, 'stdout', request.stdout),
    keep(running.stderr, 'stderr', request.stderr),
    running.exit,
  ]);
  const [stdout, stderr, exit] = settled;
  // A command that never began explains the broken streams, so its reason comes first.
  if (exit.status === 'rejected') throw exit.reason;
  if (stdout.status === 'rejected') throw stdout.reason;
  if (stderr.status === 'rejected') throw stderr.reason;
  return { stdout: stdout.value, stderr: stderr.value };
}

/** Copies to the reader's stream with back-pressure; a reader that has gone away does not stop the record. */
function showing(from: PassThrough, to: Writable): { end(): void } {
  const drained = (): void => void from.resume();
  // Whoever read it may have left while it was full: without them the record alone decides the pace.
  const gone = (): void => void from.off('data', copy).resume();
  const copy = (chunk: Buffer): void => {
    if (!to.write(chunk)) from.pause();
  };
  from.on('data', copy);
  to.on('drain', drained).once('error', gone);
  return {
    end: () => void to.off('drain', drained).off('error', gone),
  };
}

function outcomeOf(sandbox: Sandbox['kind'], result: ExecResult): End {
  const { code, signal, durationMs, stdout, stderr, stopped } = result;
  const stream = (kept: StoredArtifact | undefined): JsonObject =>
    kept ? { sha256: kept.sha256, size: kept.size, dropped: kept.dropped } : { size: 0 };
  const facts: JsonObject = {
    exitCode: code,
    ...(signal ? { signal } : {}),
    durationMs: Math.round(durationMs * 10) / 10,
    stdout: stream(stdout),
    stderr: stream(stderr),
    sandbox,
  };
  const artifacts = [stdout, stderr].filter((kept) => kept !== undefined);
  if (code === 0 && !stopped) return { status: 'ok', facts, artifacts };
  const reason = stopped ?? `Exit code ${code} after ${formatDuration(durationMs)}.`;
  return { status: 'failed', facts, artifacts, reason };
}
