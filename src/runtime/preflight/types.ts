/** What a check gives, and what the checks need. */
import type { ListedWorker } from '../../adapters/queue/port.ts';
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { AgentRecord } from '../../adapters/state/port.ts';
import type { Tool, ToolNeed } from '../../adapters/tools/port.ts';
import type { Statement } from '../../governance/budgets/index.ts';
import type { Governor } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import type { Env } from '../../kernel/index.ts';
import type { Config, PreflightCheck } from '../../schemas/index.ts';
import type { ExplainAgent, ExplainTool } from '../../work/agents/index.ts';
import type { Outlook, OutlookUnit, PlannedUnit } from '../../work/pipeline/index.ts';
import type { ProbeName, ProbeResult } from '../health/index.ts';

/** `warn`: the run may start. `failed`: it may not, unless an operator passes over it. */
export type CheckStatus = 'ok' | 'warn' | 'failed';

export interface CheckFinding {
  readonly status: CheckStatus;
  readonly what: string;
  readonly why?: string;
  /** What to do, where the status is not `ok`. */
  readonly fix?: string;
}

export interface Check extends CheckFinding {
  readonly name: PreflightCheck;
  /** How long the look took, in milliseconds. */
  readonly ms: number;
}

/** What a folder's repository says of it. */
export interface TreeState {
  /** Changes to files that git knows, and files that it does not know. */
  readonly changed: number;
  readonly unknown: number;
  /** Some of them. */
  readonly first: readonly string[];
}

export interface PreflightParts {
  readonly env: Env;
  readonly config: Pick<Config, 'operators' | 'preflight'>;
  readonly root: string;
  readonly tools: ReadonlyMap<string, Tool>;
  /** The absolute path of a program as the sandbox would find it. */
  locate(program: string, cwd: string): string | undefined;
  /** What the program prints about its version, run in a sandbox that can write nothing. */
  versionText(need: ToolNeed, signal: AbortSignal): Promise<string>;
  ledger(): Promise<Ledger>;
  agents(): Promise<readonly AgentRecord[]>;
  governor(): Promise<Governor>;
  explainTool(): Promise<ExplainTool>;
  explainAgent(): Promise<ExplainAgent>;
  /** Undefined where no secret was ever stored. */
  secrets(): Promise<Secrets | undefined>;
  /** @throws WORKSPACE_INVALID */
  workspace(folder: string): Promise<string>;
  /** Undefined where the folder is in no repository. */
  treeState(workspace: string, signal: AbortSignal): Promise<TreeState | undefined>;
  /** The environment that infrastructure in this folder of a workspace belongs to. */
  environmentOf(workspace: string, dir: string): Promise<string>;
  /** Who holds a lock now, as the state store knows it. */
  lockHolder(name: string): Promise<string | undefined>;
  /** Budgets that were opened for the run. */
  budgets(run: string): Promise<readonly Statement[]>;
  /** @throws CONFIG_INVALID without a state server */
  workers(): Promise<readonly ListedWorker[]>;
  probe(name: ProbeName): Promise<ProbeResult | undefined>;
}

/** What is to be run, and what several checks ask for and is asked once. */
export interface Subject {
  readonly outlook: Outlook;
  readonly units: readonly OutlookUnit[];
  agents(): Promise<readonly AgentRecord[]>;
  /** What the rules would say to each unit. */
  planned(): Promise<readonly PlannedUnit[]>;
}

export type Look = (parts: PreflightParts, subject: Subject, signal: AbortSignal) => Promise<readonly CheckFinding[]>;
