/** The agent's side of its socket, for programs: every method is one operation, and a denial is a value. */
import { lockWith } from './lock.ts';
import { AgentError, type CallOptions, send } from './transport.ts';
import type {
  ActOptions,
  Advice,
  Answer,
  ApprovalState,
  Board,
  ExecOptions,
  Executed,
  Explained,
  HeldLock,
  Json,
  LiveRuns,
  Locked,
  LockOptions,
  Question,
  ToolDescription,
  ToolUse,
  Whoami,
} from './types.ts';

export interface Agent {
  whoami(): Promise<Whoami>;
  tools(): Promise<readonly ToolDescription[]>;
  /** Uses a wrapped tool: `agent.act('git.commit', { message: 'Begin' })`. */
  act(tool: string, args?: Json, options?: CallOptions & ActOptions): Promise<Answer<ToolUse>>;
  /** Runs a command in a sandbox of its own. */
  exec(argv: readonly [string, ...string[]], options?: CallOptions & ExecOptions): Promise<Answer<Executed>>;
  /** What would be said to it. */
  explain(
    what: { readonly tool: string; readonly args?: Json } | { readonly argv: readonly string[] },
  ): Promise<Explained>;
  /** Until operators have answered, or `options.signal` aborts. */
  wait(approval: string, options?: CallOptions): Promise<ApprovalState>;
  /** Does `work` while it holds the lock, which is renewed meanwhile and released at the end. */
  lock<T>(name: string, work: (lock: HeldLock) => Promise<T>, options?: LockOptions): Promise<Answer<Locked<T>>>;
  readonly board: Board;
  /** Of a function: keeps a text as an artifact of its run. */
  keep(name: string, content: string): Promise<{ readonly sha256: string }>;
  /** Of a function whose definition names a model: advice, as a value that fits `schema` (JSON Schema of an object). */
  ask(question: Question, options?: CallOptions): Promise<Advice>;
  /** Which runs have a process now. */
  runs(): Promise<Answer<LiveRuns>>;
  /** The OpenAPI document of all that may be asked. */
  describe(): Promise<Json>;
  /** Any operation by its name. */
  call(operation: string, input?: Json, options?: CallOptions): Promise<Json>;
}

export interface ConnectOptions {
  /** Path of the socket; AGOV_SOCKET when left out. */
  readonly socket?: string;
}

/** @throws AgentError outside of a governed process */
export function connect({ socket = process.env['AGOV_SOCKET'] }: ConnectOptions = {}): Agent {
  if (!socket) throw noSocket();
  // What the governor answers has the shape of the operation's output; it is the one who is trusted here.
  const ask = <T>(operation: string, input: object, { signal }: CallOptions = {}): Promise<T> =>
    send(socket, `/v1/${operation}`, JSON.stringify(input), signal) as Promise<T>;
  const board: Board = {
    get: (key, options = {}) => ask('board.get', { key, ...options }),
    set: (key, value, options = {}) => ask('board.set', { key, value, ...options }),
    remove: (key, expected, options = {}) => ask('board.remove', { key, expected, ...options }),
    list: (prefix = '', options = {}) => ask('board.list', { prefix, ...options }),
  };
  return {
    board,
    describe: () => send(socket, '/openapi.json', undefined) as Promise<Json>,
    whoami: () => ask('whoami', {}),
    tools: async () => (await ask<{ tools: readonly ToolDescription[] }>('tools', {})).tools,
    act: (tool, args = {}, { signal, ...options } = {}) => ask('act', { tool, args, ...options }, { signal }),
    exec: (argv, { signal, ...options } = {}) => ask('exec', { argv, ...options }, { signal }),
    explain: (what) => ask('explain', what),
    async wait(approval, options) {
      for (;;) {
        const now = await ask<ApprovalState>('wait', { approval }, options);
        if (now.state !== 'open') return now;
      }
    },
    keep: (name, content) => ask('keep', { name, content }),
    ask: (question, options) => ask('ask', question, options),
    runs: () => ask('runs', {}),
    lock: (name, work, options) => lockWith(ask, name, work, options),
    call: (operation, input = {}, options) => ask(operation, input as object, options), // anything else is refused there
  };
}

function noSocket(): AgentError {
  return new AgentError({
    code: 'NO_SOCKET',
    what: 'AGOV_SOCKET is not set.',
    why: 'Only a process that agov started for an agent has a socket.',
    fix: 'Start it with "agov run --agent NAME -- COMMAND", or from a pipeline.',
  });
}
