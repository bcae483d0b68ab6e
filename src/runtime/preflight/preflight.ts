/**
 * What must hold before a run starts, looked at all at once and told all at once. It changes nothing and decides nothing:
 * each intent of the run is judged again when it comes.
 */
import { isAgovError, messageOf, parseDuration } from '../../kernel/index.ts';
import type { PreflightCheck } from '../../schemas/index.ts';
import { type Outlook, outlookUnits, planPipeline } from '../../work/pipeline/index.ts';
import { within } from '../health/index.ts';
import { checkAgents } from './checks/agents.ts';
import { checkDisk, checkLedger, checkSandbox, checkState } from './checks/machine.ts';
import { checkBudget, checkLocks, checkWorkers } from './checks/means.ts';
import { checkPlans } from './checks/plans.ts';
import { checkPrograms, checkTools } from './checks/programs.ts';
import { checkApprovals, checkPolicy } from './checks/rules.ts';
import { checkSecrets } from './checks/secrets.ts';
import { checkWorkspaces } from './checks/workspaces.ts';
import type { Check, CheckFinding, CheckStatus, Look, PreflightParts, Subject } from './types.ts';

export interface Preflight {
  readonly status: CheckStatus;
  /** In the order of the names, whichever was ready first. */
  readonly checks: readonly Check[];
  readonly ms: number;
}

const looks: Readonly<Record<PreflightCheck, Look>> = {
  agents: checkAgents,
  policy: checkPolicy,
  approvals: checkApprovals,
  programs: checkPrograms,
  tools: checkTools,
  secrets: checkSecrets,
  workspaces: checkWorkspaces,
  plans: checkPlans,
  locks: checkLocks,
  budget: checkBudget,
  workers: checkWorkers,
  ledger: checkLedger,
  state: checkState,
  sandbox: checkSandbox,
  disk: checkDisk,
};

/** More of one kind are counted: a thousand stages of one agent that is revoked are one thing to mend. */
const told = 10;

export async function preflight(parts: PreflightParts, outlook: Outlook, signal: AbortSignal): Promise<Preflight> {
  const { env } = parts;
  const began = env.monotonic();
  const deadlineMs = parseDuration(parts.config.preflight.deadline);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const subject = subjectOf(parts, outlook, either);
  const look = async ([name, find]: readonly [string, Look]): Promise<readonly Check[]> => {
    const findings = await within(env, deadlineMs, () => find(parts, subject, either)).catch(failure);
    signal.throwIfAborted();
    const ms = tenth(env.monotonic() - began);
    return shortened(findings).map((finding) => ({ name: name as PreflightCheck, ...finding, ms })); // a key of the table
  };
  try {
    const checks = (await Promise.all(Object.entries(looks).map(look))).flat();
    return { status: worstOf(checks), checks, ms: tenth(env.monotonic() - began) };
  } finally {
    // What hangs is told to stop; nobody waits for it.
    over.abort();
  }
}

function subjectOf(parts: PreflightParts, outlook: Outlook, signal: AbortSignal): Subject {
  const agents = askedOnce(() => parts.agents());
  return {
    ...{ outlook, agents, units: outlookUnits(outlook) },
    planned: askedOnce(async () => {
      const [governor, explainTool] = [await parts.governor(), await parts.explainTool()];
      const explainAgent = await parts.explainAgent();
      const { tools, workspace } = parts;
      return planPipeline({ governor, explainTool, explainAgent, tools, workspace }, outlook, await agents(), signal);
    }),
  };
}

function failure(error: unknown): readonly CheckFinding[] {
  if (!isAgovError(error)) return [{ status: 'failed', what: messageOf(error) }];
  const { what, why, fix } = error;
  return [{ status: 'failed', what, ...(why === undefined ? {} : { why }), ...(fix === undefined ? {} : { fix }) }];
}

function shortened(findings: readonly CheckFinding[]): readonly CheckFinding[] {
  if (findings.length <= told) return findings;
  const rest = findings.slice(told);
  return [...findings.slice(0, told), { status: worstOf(rest), what: `And ${rest.length} more of the kind.` }];
}

function worstOf(findings: readonly CheckFinding[]): CheckStatus {
  const all = findings.map(({ status }) => status);
  return all.includes('failed') ? 'failed' : all.includes('warn') ? 'warn' : 'ok';
}

function askedOnce<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
