/** The shapes of what is asked and answered, as docs/generated/agent-socket.openapi.json has them. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type Tier = 'T0' | 'T1' | 'T2' | 'T3' | 'T4';

export interface NotAllowed {
  /** `ask`: an operator must consent first. */
  readonly verdict: 'ask' | 'deny';
  readonly intent: string;
  /** Sentences, the decisive one first. */
  readonly reasons: readonly string[];
  readonly policies: readonly string[];
  /** With `ask`: what is to be consented to. */
  readonly approval?: { readonly id: string; readonly expiresAt: string };
}

/** A denial is a value: look at `verdict` before anything else. */
export type Answer<Result> = ({ readonly verdict: 'allow'; readonly intent: string } & Result) | NotAllowed;

export interface Whoami {
  readonly agent: string;
  readonly tier: Tier;
  readonly run: string;
  readonly workspace: string;
  readonly intent: string;
  /** What is left of each kind that its budget limits: `actions`, `tokens`, `ms`, `moneyMicros`. */
  readonly left?: Readonly<Record<string, number>>;
}

export interface ToolDescription {
  readonly name: string;
  readonly summary: string;
  /** JSON Schema. */
  readonly args: Json;
}

export interface ToolUse {
  readonly status: 'ok' | 'failed';
  readonly reason?: string;
  readonly text: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly artifacts: readonly { readonly name: string; readonly sha256: string; readonly size: number }[];
}

export interface ActOptions {
  /** `.worktrees/NAME` of the workspace: nothing else of it is seen or changed. */
  readonly within?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface ExecOptions extends ActOptions {
  /** Folder of the workspace. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Variable to path of a secret. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Without socket and network: for what others wrote, such as the tests of a change. */
  readonly isolated?: boolean;
}

export interface Output {
  readonly text: string;
  readonly size: number;
  readonly sha256?: string;
}

export interface Executed {
  readonly exitCode: number;
  readonly signal?: string;
  readonly stopped?: string;
  readonly durationMs: number;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Explained {
  readonly verdict: 'allow' | 'ask' | 'deny';
  readonly reasons: readonly string[];
  readonly policies: readonly string[];
  readonly approvals?: number;
  readonly lowestTier?: Tier;
}

export interface ApprovalState {
  readonly state: 'open' | 'granted' | 'denied' | 'expired' | 'closed';
  readonly consents: number;
}

export interface LockOptions {
  /** It ends by itself after that, unless it is renewed. */
  readonly ttlMs?: number;
  readonly waitMs?: number;
}

export interface HeldLock {
  readonly token: number;
  /** Aborts when the lock was lost. */
  readonly signal: AbortSignal;
}

export type Locked<T> = { readonly held: true; readonly value: T } | { readonly held: false; readonly holder: string };

export interface BoardItem {
  readonly key: string;
  readonly value: Json;
  readonly version: number;
}

export interface Space {
  /** Whose space; the agent's own when left out. */
  readonly space?: string;
}

export interface Board {
  get(key: string, options?: Space): Promise<Answer<{ readonly item?: BoardItem }>>;
  /** `expected`: only if the item has that version; 0 only if there is none. */
  set(
    key: string,
    value: Json,
    options?: Space & { readonly expected?: number },
  ): Promise<Answer<{ readonly written: boolean; readonly version?: number }>>;
  remove(key: string, expected: number, options?: Space): Promise<Answer<{ readonly removed: boolean }>>;
  list(
    prefix?: string,
    options?: Space & { readonly after?: string },
  ): Promise<Answer<{ readonly items: readonly BoardItem[]; readonly more: boolean }>>;
}

export interface Question {
  readonly prompt: string;
  /** Shown to the model as material. */
  readonly data?: Json | undefined;
  readonly schema: Json;
}

export interface Advice {
  /** `finished`, or why there is none: failed, refused, budget, parked, stopped. */
  readonly end: string;
  readonly output?: Json;
  readonly reason?: string;
}

export interface LiveRuns {
  readonly runs: readonly {
    readonly agent: string;
    readonly run: string;
    readonly since: string;
    readonly mine: boolean;
  }[];
  readonly more: boolean;
}
