/**
 * A wrapped tool: it turns typed arguments into one intent with its facts, and, once that is allowed, into commands. It
 * decides nothing and starts nothing by itself: each command goes through the `exec` it is handed, which is a sandbox.
 */
import type { z } from 'zod';
import type { Facts, Intent } from '../../schemas/index.ts';

export interface ToolCommand {
  /** Program and arguments; never a shell line. */
  readonly argv: readonly [string, ...string[]];
  /** Absolute; the workspace when left out. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Fed to standard input. */
  readonly input?: string | Uint8Array;
  /** `read` shows the workspace read-only whatever the tier. */
  readonly access: 'read' | 'write';
  /** Absolute paths to show besides the workspace, for this command alone. */
  readonly readOnly?: readonly string[];
  readonly readWrite?: readonly string[];
  /** Paths of the workspace that agents' own commands may not write and this one must (`.git`). */
  readonly unprotect?: readonly string[];
}

export interface ToolExit {
  readonly code: number;
  /** At most 16 MiB; more is an error of the run. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in the agent's sandbox. Rejects with an AgovError when it cannot be started. */
export type ToolExec = (command: ToolCommand) => Promise<ToolExit>;

export interface ToolContext {
  readonly agent: string;
  /** Absolute real paths. */
  readonly workspace: string;
  readonly projectRoot: string;
  /** An empty folder outside the workspace that lives until the call ends. */
  readonly scratch: string;
  /** Artifacts by digest: the exact bytes, checked. */
  readonly artifact: (sha256: string) => Promise<Buffer>;
  readonly protectedBranches: readonly string[];
  /** Folder (relative to the project) to environment name. */
  readonly environments: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface ToolResult {
  readonly status: 'ok' | 'failed';
  /** One sentence when failed. */
  readonly reason?: string;
  /** For the ledger: small, no secrets. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** For the person who asked: a few lines. */
  readonly text: string;
  /** Content to keep by hash. */
  readonly artifacts: readonly { readonly name: string; readonly content: Uint8Array | string }[];
}

export interface ToolCall {
  readonly intent: Intent;
  readonly facts: Facts;
  /** Only called after the intent is allowed and recorded. */
  perform(exec: ToolExec): Promise<ToolResult>;
}

/** A program that a tool runs in the sandbox. */
export interface ToolNeed {
  readonly program: string;
  /** What to do where it is missing or too old. */
  readonly install: string;
  /** The least version that is known to work, and how the program tells its own. */
  readonly version?: {
    readonly least: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    /** Its first group is the version. */
    readonly pattern: RegExp;
  };
}

export interface Tool {
  /** `git.commit`, `terraform.plan`, `fs.write` … */
  readonly name: string;
  /** One sentence for help and docs. */
  readonly summary: string;
  readonly args: z.ZodObject;
  /** None where it is left out. */
  readonly needs?: readonly ToolNeed[];
  /**
   * Looks (read-only, through `exec`) and says what would be done. `args` have passed the schema.
   * @throws TOOL_MISSING, INPUT_INVALID, NOT_FOUND
   */
  prepare(args: Readonly<Record<string, unknown>>, context: ToolContext, exec: ToolExec): Promise<ToolCall>;
}
