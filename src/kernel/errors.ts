/**
 * The one error type and the one table of its codes. Codes are public: the table makes the docs page, the exit code
 * and the HTTP status. Branch on `code`, never on a message. No field ever holds a secret.
 */

interface ErrorRow {
  /** Process exit code. The scale is that of sysexits.h, so that it seldom meets a governed command's own code. */
  readonly exit: number;
  readonly http: number;
  /** Whether the same call may succeed later with nothing changed by the caller. */
  readonly retry: boolean;
  readonly summary: string;
}

export const ERROR_TABLE = {
  USAGE: { exit: 64, http: 400, retry: false, summary: 'The command line was not understood.' },
  INPUT_INVALID: { exit: 65, http: 400, retry: false, summary: 'A value is malformed or out of bounds.' },
  NOT_FOUND: { exit: 66, http: 404, retry: false, summary: 'What was named does not exist.' },
  CONFLICT: { exit: 73, http: 409, retry: false, summary: 'It exists already, or somebody else was first.' },
  INTERNAL: { exit: 70, http: 500, retry: false, summary: 'A defect in agov itself.' },
  CONFIG_INVALID: { exit: 78, http: 500, retry: false, summary: 'A configuration file cannot be used as it is.' },
  PROJECT_MISSING: { exit: 78, http: 500, retry: false, summary: 'No agov project here or above.' },
  NOT_WRITABLE: { exit: 73, http: 500, retry: false, summary: 'A file or folder that must be written is read-only.' },
  DISK_FULL: { exit: 74, http: 507, retry: true, summary: 'No space is left where the record is kept.' },
  DENIED: { exit: 77, http: 403, retry: false, summary: 'The rules do not allow this intent.' },
  BUDGET_EXCEEDED: { exit: 77, http: 403, retry: false, summary: 'A budget is used up, or has too little left.' },
  APPROVAL_REQUIRED: { exit: 75, http: 403, retry: true, summary: 'The intent would be allowed with approval.' },
  APPROVAL_INVALID: { exit: 65, http: 409, retry: false, summary: 'The approval is used, expired, denied or unknown.' },
  AGENT_NOT_ACTIVE: { exit: 77, http: 403, retry: false, summary: 'The agent is revoked, retired or unknown.' },
  IDENTITY_TAMPERED: {
    exit: 77,
    http: 403,
    retry: false,
    summary: 'Somebody else used what gives an agent its identity.',
  },
  INVITATION_INVALID: {
    exit: 65,
    http: 409,
    retry: false,
    summary: 'The invitation is used, expired or another agent’s.',
  },
  POLICY_INVALID: { exit: 1, http: 500, retry: false, summary: 'The policy set is refused, so nothing is allowed.' },
  LEDGER_BROKEN: { exit: 1, http: 500, retry: false, summary: 'The record does not verify.' },
  LEDGER_NEWER: { exit: 78, http: 500, retry: false, summary: 'The ledger was written by a newer agov.' },
  LEDGER_UNAVAILABLE: { exit: 69, http: 503, retry: true, summary: 'The ledger cannot be read or written.' },
  LEDGER_CLAIMED: { exit: 73, http: 409, retry: false, summary: 'What may happen once has happened already.' },
  ENTRY_TOO_LARGE: { exit: 65, http: 413, retry: false, summary: 'A ledger entry is over 65,535 bytes.' },
  KEY_INVALID: { exit: 78, http: 500, retry: false, summary: 'A key file is missing, damaged or open to others.' },
  STATE_CORRUPT: { exit: 69, http: 503, retry: false, summary: 'The shared state is damaged.' },
  STATE_UNAVAILABLE: { exit: 69, http: 503, retry: true, summary: 'The state store does not answer.' },
  SECRETS_UNAVAILABLE: { exit: 69, http: 503, retry: true, summary: 'The secret store does not answer.' },
  SECRET_PATH_INVALID: { exit: 65, http: 400, retry: false, summary: 'A secret path is malformed.' },
  SANDBOX_MISSING: {
    exit: 69,
    http: 500,
    retry: false,
    summary: 'The sandbox program is not installed or does not work.',
  },
  WORKSPACE_INVALID: { exit: 65, http: 400, retry: false, summary: 'The workspace is missing or outside the project.' },
  COMMAND_NOT_FOUND: { exit: 127, http: 400, retry: false, summary: 'The command does not exist in the sandbox.' },
  COMMAND_NOT_EXECUTABLE: { exit: 126, http: 400, retry: false, summary: 'The command exists but cannot be executed.' },
  TOOL_MISSING: { exit: 69, http: 500, retry: false, summary: 'A wrapped tool is not installed.' },
  TOOL_FAILED: { exit: 1, http: 502, retry: false, summary: 'A wrapped tool ran and failed.' },
  PIPELINE_INVALID: { exit: 1, http: 400, retry: false, summary: 'A pipeline file has faults.' },
  TEAM_INVALID: { exit: 1, http: 400, retry: false, summary: 'The file of a team has faults.' },
  AGENT_INVALID: { exit: 1, http: 400, retry: false, summary: 'An agent definition has faults.' },
  MODEL_UNAVAILABLE: { exit: 69, http: 503, retry: true, summary: 'The language model does not answer.' },
  MODEL_FAILED: { exit: 1, http: 502, retry: false, summary: 'The language model answered with what is no answer.' },
  MEMORY_UNAVAILABLE: { exit: 69, http: 503, retry: true, summary: 'The memory file cannot be read or written.' },
  MEMORY_CORRUPT: { exit: 1, http: 500, retry: false, summary: 'What is stored in memory is damaged.' },
  SECRET_FOUND: {
    exit: 65,
    http: 422,
    retry: false,
    summary: 'Content holds what looks like a secret, and is refused.',
  },
  STATUS_INVALID: { exit: 65, http: 409, retry: false, summary: 'A STATUS.md has faults.' },
  STATUS_BUSY: { exit: 75, http: 409, retry: true, summary: 'Others are changing the same status all the time.' },
  TOO_MANY_REQUESTS: { exit: 75, http: 429, retry: true, summary: 'An agent asks for more at once than it may.' },
  PREFLIGHT_FAILED: { exit: 69, http: 412, retry: false, summary: 'What must hold before a run does not.' },
  WORKER_LOST: {
    exit: 75,
    http: 503,
    retry: true,
    summary: 'The worker that did this is gone, and what it did is not known.',
  },
  EVIDENCE_MISSING: { exit: 1, http: 409, retry: false, summary: 'A gate asks for evidence that is not there.' },
  LOCK_LOST: { exit: 75, http: 409, retry: true, summary: 'A lock ended while what it guards was under way.' },
  GROUP_BUSY: { exit: 75, http: 409, retry: true, summary: 'Another run of the concurrency group is under way.' },
  RUN_BUSY: { exit: 75, http: 409, retry: true, summary: 'Another process drives this run.' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface ErrorText {
  /** What happened, one sentence. */
  readonly what: string;
  /** Why, one sentence; left out where `what` says it all. */
  readonly why?: string;
  /** What the reader can do about it: a command where there is one. */
  readonly fix?: string;
  readonly cause?: unknown;
  /** Small facts for machines (`--json`), such as file, line and column. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class AgovError extends Error {
  override readonly name = 'AgovError';
  readonly code: ErrorCode;
  readonly what: string;
  readonly why: string | undefined;
  readonly fix: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, text: ErrorText) {
    super([text.what, text.why, text.fix].filter(Boolean).join(' '), { cause: text.cause });
    this.code = code;
    this.what = text.what;
    this.why = text.why;
    this.fix = text.fix;
    this.details = text.details;
  }

  get exitCode(): number {
    return ERROR_TABLE[this.code].exit;
  }

  get retry(): boolean {
    return ERROR_TABLE[this.code].retry;
  }

  toJSON(): Record<string, unknown> {
    const { code, what, why, fix, details, retry } = this;
    return { code, what, why, fix, details, retry };
  }
}

/** True for an `AgovError`, with one of `codes` where any are given. */
export function isAgovError(error: unknown, ...codes: ErrorCode[]): error is AgovError {
  return error instanceof AgovError && (codes.length === 0 || codes.includes(error.code));
}

/** The message of anything thrown, for use in `why`. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system or SQLite error, such as `ENOENT`, or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
