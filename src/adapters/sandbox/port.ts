/** What a process can touch. A sandbox runs one command under one profile and leaves no process behind. */
import type { Readable, Writable } from 'node:stream';

export interface SandboxProfile {
  /** Absolute real path; the command's working directory unless `cwd` says otherwise. */
  readonly workspace: string;
  readonly access: 'read-only' | 'read-write';
  /** Absolute paths that must not be visible, whether they exist or not (`.agov/`). */
  readonly hidden: readonly string[];
  /** Absolute paths that are visible and never writable, whatever `access` says. */
  readonly protected: readonly string[];
  /** Absolute paths outside the workspace to show read-only; missing ones are skipped. */
  readonly readOnly: readonly string[];
  /** Absolute paths to show read-write besides the workspace: only for the governor's own tool runs. */
  readonly readWrite: readonly string[];
  /** `none`: no interface but a private loopback. `proxy`: the same, and the Unix socket of an egress proxy inside. */
  readonly network: { readonly mode: 'none' } | { readonly mode: 'proxy'; readonly socket: string };
  /**
   * The Unix socket at which the command finds the governor, by its path on this machine. The command reads its place in
   * AGOV_SOCKET, and has the agent library beside it.
   */
  readonly socket?: string;
}

export interface SandboxCommand {
  /** Program and arguments, as an array; never a shell line. */
  readonly argv: readonly [string, ...string[]];
  /** Absolute; inside the workspace. */
  readonly cwd?: string;
  /** The whole environment of the command, besides PATH, HOME, TMPDIR, LANG, AGOV_SOCKET that the sandbox sets. */
  readonly env: Readonly<Record<string, string>>;
  readonly profile: SandboxProfile;
  /** Whether the command reads our standard input; otherwise it gets none. */
  readonly stdin: 'inherit' | 'pipe' | 'none';
}

export interface ExitStatus {
  /** The command's exit code; 128 + signal number when a signal ended it. */
  readonly code: number;
  readonly signal: NodeJS.Signals | undefined;
  /** Monotonic milliseconds from start to the end of the last process of the group. */
  readonly durationMs: number;
}

export interface Running {
  /** Process id of the group leader, as this machine sees it. */
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Passes a signal on to the command and what it started. False when there is nothing left to signal. */
  signal(signal: NodeJS.Signals): boolean;
  /** SIGKILL to every process of the sandbox; resolves when none is left, with how long that took in ms. */
  kill(): Promise<number>;
  /**
   * Resolves after the last process is gone and both streams have ended. Rejects with COMMAND_NOT_FOUND,
   * COMMAND_NOT_EXECUTABLE or SANDBOX_MISSING when the command never began.
   */
  readonly exit: Promise<ExitStatus>;
}

export interface SandboxHealth {
  readonly ok: boolean;
  /** What is missing and how to get it, when not ok; the version otherwise. */
  readonly detail: string;
}

export interface Sandbox {
  /** Recorded in every outcome. */
  readonly kind: 'bubblewrap' | 'none';
  /** The folder of the agent library (`src/agent-client`), where a command with a socket finds it. */
  readonly library: string;
  /** The absolute path of a program as a command started in `cwd` would find it, or undefined. */
  locate(program: string, cwd: string): string | undefined;
  /** Tries a real run; cached for the life of the process. */
  health(): Promise<SandboxHealth>;
  /** @throws SANDBOX_MISSING, WORKSPACE_INVALID */
  start(command: SandboxCommand): Promise<Running>;
}
