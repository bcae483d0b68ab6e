/** Uses a wrapped tool as an agent: it looks in a read-only sandbox, the governor decides, then it does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Running, Sandbox, SandboxProfile } from '../../../adapters/sandbox/port.ts';
import type {
  Tool,
  ToolCall,
  ToolCommand,
  ToolContext,
  ToolExec,
  ToolExit,
  ToolResult,
} from '../../../adapters/tools/port.ts';
import type { Approvals } from '../../../governance/approvals/index.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Acted, BeginOptions, Channel, Effected, Governor } from '../../../governance/governor/index.ts';
import type { Ledger } from '../../../governance/ledger/index.ts';
import type { Explanation } from '../../../governance/policy/index.ts';
import { AgovError } from '../../../kernel/index.ts';
import type { ArtifactRef, Tier } from '../../../schemas/index.ts';
import type { StopWatch, Watch } from '../stop/index.ts';
import { activeAgent } from './active.ts';
import type { EgressDoor } from './exec.ts';
import { planFacts } from './plans.ts';

export interface ToolRequest {
  readonly channel: Channel;
  readonly tool: Tool;
  readonly args: Readonly<Record<string, unknown>>;
  readonly begin?: BeginOptions;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

export interface UseToolParts {
  readonly governor: Governor;
  readonly ledger: Ledger;
  readonly approvals: Approvals;
  readonly sandbox: Sandbox;
  readonly artifacts: Artifacts;
  readonly watch: Watch;
  readonly projectRoot: string;
  readonly protectedBranches: readonly string[];
  readonly environments: Readonly<Record<string, string>>;
  profileOf(channel: Channel, tier: Tier): SandboxProfile;
  /** Opens the listed way out for one intent; undefined where the tier lists no hosts. */
  openEgress(channel: Channel, tier: Tier, intent: string): Promise<EgressDoor | undefined>;
}

export type UsedTool = Omit<ToolResult, 'artifacts'> & { readonly artifacts: readonly ArtifactRef[] };
export type UseTool = (request: ToolRequest) => Promise<Acted<UsedTool>>;

type Network = SandboxProfile['network'];
const closed: Network = { mode: 'none' };

const maxOutput = 16 * 1024 * 1024;

export function createUseTool(parts: UseToolParts): UseTool {
  return (request) =>
    prepared(parts, request, (call, found) =>
      parts.governor.act(request.channel, call.intent, (id) => perform(parts, request, call, id), found),
    );
}

/** The verdict that the use would come to now; it looks, and records nothing. */
export type ExplainTool = (request: ToolRequest) => Promise<Explanation>;

export function createExplainTool(parts: UseToolParts): ExplainTool {
  return (request) =>
    prepared(parts, request, (call, found) => parts.governor.explain(request.channel, call.intent, found));
}

async function prepared<T>(
  parts: UseToolParts,
  request: ToolRequest,
  then: (call: ToolCall, found: BeginOptions) => Promise<T>,
): Promise<T> {
  const { channel, tool, signal } = request;
  const args = parseArgs(tool, request.args);
  const scratch = await mkdtemp(join(tmpdir(), 'agov-tool-'));
  try {
    const context: ToolContext = {
      agent: channel.agent,
      workspace: channel.workspace,
      projectRoot: parts.projectRoot,
      scratch,
      artifact: (sha256) => parts.artifacts.get(sha256),
      protectedBranches: parts.protectedBranches,
      environments: parts.environments,
      signal,
    };
    const call = await tool.prepare(args, context, looking(parts, request));
    return await then(call, { ...request.begin, ...(await planFacts(parts, channel, call)) });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The arguments as the tool's schema reads them. @throws INPUT_INVALID */
function parseArgs(tool: Tool, args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const parsed = tool.args.safeParse(args);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
  throw new AgovError('INPUT_INVALID', {
    what: `${tool.name} cannot be used with these arguments.`,
    why: issues.join('; '),
    fix: `It takes ${Object.keys(tool.args.shape).join(', ')}.`,
  });
}

async function perform(
  parts: UseToolParts,
  request: ToolRequest,
  call: ToolCall,
  id: string,
): Promise<Effected<UsedTool>> {
  const { tier } = await activeAgent(parts.governor, request.channel);
  await using egress = await parts.openEgress(request.channel, tier, id);
  const network = egress ? ({ mode: 'proxy', socket: egress.socket } as const) : closed;
  const result = await call.perform(doing(parts, request, id, network));
  const artifacts: ArtifactRef[] = [];
  for (const { name, content } of result.artifacts) artifacts.push(await parts.artifacts.put(name, content));
  const { status, reason } = result;
  const outcome = {
    status,
    ...(reason === undefined ? {} : { reason }),
    facts: { ...result.facts, sandbox: parts.sandbox.kind },
    artifacts,
  };
  return { outcome, value: { ...result, artifacts } };
}

/** Before the decision: nothing can be written, and nothing is recorded but the intent that follows. */
function looking(parts: UseToolParts, { channel }: ToolRequest): ToolExec {
  return async (command) => {
    if (command.access !== 'read' || command.readWrite?.length) {
      throw new AgovError('INTERNAL', { what: `A tool tried to write before it was allowed: ${command.argv[0]}.` });
    }
    const { running, tier } = await start(parts, channel, command, closed);
    // It belongs to no intent yet, and must be found by a revocation all the same.
    const stop = await parts.watch({ channel, tier }, running, `look:${channel.run}:${running.pid}`);
    return finish(running, stop);
  };
}

function doing(parts: UseToolParts, request: ToolRequest, id: string, network: Network): ToolExec {
  return async (command) => {
    const { channel, timeoutMs, signal } = request;
    const { running, tier } = await start(parts, channel, command, network);
    return finish(running, await parts.watch({ channel, tier, timeoutMs, signal }, running, id));
  };
}

async function finish(running: Running, stop: StopWatch): Promise<ToolExit> {
  try {
    const exit = await collect(running.stdout, running.stderr, running.exit, () => void running.kill());
    const why = await stop.reason(exit.code === 128 + constants.signals.SIGKILL);
    if (why) throw new AgovError('TOOL_FAILED', { what: why });
    return exit;
  } finally {
    await stop.end();
  }
}

async function start(parts: UseToolParts, channel: Channel, command: ToolCommand, network: Network) {
  const { tier } = await activeAgent(parts.governor, channel);
  const profile = parts.profileOf(channel, tier);
  const running = await parts.sandbox.start({
    argv: command.argv,
    ...(command.cwd ? { cwd: command.cwd } : {}),
    env: { ...command.env },
    stdin: command.input === undefined ? 'none' : 'pipe',
    profile: {
      ...profile,
      access: command.access === 'read' ? 'read-only' : profile.access,
      protected: profile.protected.filter((path) => !command.unprotect?.includes(path)),
      readOnly: [...profile.readOnly, ...(command.readOnly ?? [])],
      readWrite: [...profile.readWrite, ...(command.readWrite ?? [])],
      network,
    },
  });
  // A command that ends without reading its input is judged by its exit code.
  running.stdin?.on('error', () => undefined);
  running.stdin?.end(command.input);
  return { running, tier };
}

async function collect(
  stdout: Readable,
  stderr: Readable,
  exit: Promise<{ readonly code: number }>,
  kill: () => void,
): Promise<ToolExit> {
  let size = 0;
  const gather = async (stream: Readable): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxOutput) kill();
      else chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  };
  const [out, err, status] = await Promise.all([gather(stdout), gather(stderr), exit]);
  if (size > maxOutput) {
    throw new AgovError('TOOL_FAILED', { what: `The tool printed more than ${maxOutput} bytes and was stopped.` });
  }
  return { code: status.code, stdout: out, stderr: err };
}
