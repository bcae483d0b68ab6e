/**
 * Kill means dead: the ledger says so first, then the registry, then every process group of the agent goes, its leases
 * end, and one `kill` entry tells what each step took. A step that failed is named, never reported as done.
 */
import type { Secrets } from '../../adapters/secrets/port.ts';
import type { LiveRun, State } from '../../adapters/state/port.ts';
import { isAlive } from '../../governance/governor/index.ts';
import type { Ledger } from '../../governance/ledger/index.ts';
import { AgovError, type Env, messageOf, systemCode } from '../../kernel/index.ts';
import { type OperatorAct, type Roster, revokedTopic } from '../../work/agents/index.ts';

export interface KillStep {
  readonly step: 'record' | 'announce' | 'processes' | 'leases';
  readonly ok: boolean;
  readonly ms: number;
  readonly detail: string;
}

export interface KillReport {
  readonly agent: string;
  readonly entry: string;
  readonly steps: readonly KillStep[];
  readonly ms: number;
}

export interface RevokeParts {
  readonly env: Env;
  readonly ledger: Ledger;
  readonly roster: Roster;
  readonly state: State;
  /** Undefined where no secret was ever stored. */
  readonly secrets: () => Promise<Secrets | undefined>;
  readonly host: string;
}

const deadlineMs = 10_000;
const pollMs = 2;

export async function revokeAgent(
  parts: RevokeParts,
  name: string,
  by: OperatorAct,
  reason: string,
): Promise<KillReport> {
  const { env, ledger, roster, state } = parts;
  const began = env.monotonic();
  const steps: KillStep[] = [];
  const step = async (what: KillStep['step'], run: () => Promise<string>): Promise<void> => {
    const from = env.monotonic();
    const done = await run().then(
      (detail) => ({ ok: true, detail }),
      (error: unknown) => ({ ok: false, detail: messageOf(error) }),
    );
    steps.push({ step: what, ...done, ms: round(env.monotonic() - from) });
  };

  // Not caught: what is not on record has not happened, and the caller must hear of it.
  const before = await roster.get(name);
  // A revocation that was interrupted is finished by another: what is marked already is not marked twice.
  const agent = before.status === 'revoked' ? before : await roster.revoke(name, by, reason);
  const detail = before.status === 'revoked' ? 'marked before' : 'ledger and registry';
  steps.push({ step: 'record', ok: true, ms: round(env.monotonic() - began), detail });
  await step('announce', async () => `event ${await state.events.publish(revokedTopic, { agent: name, reason })}`);
  await step('processes', () => killProcesses(parts, name));
  await step('leases', () => endLeases(parts, name));

  const ms = round(env.monotonic() - began);
  const { id } = await ledger.append({
    kind: 'kill',
    agent: name,
    tier: agent.tier,
    body: { ...by, reason, ms, steps: steps.map((s) => ({ ...s })) },
  });
  return { agent: name, entry: id, steps, ms };
}

async function killProcesses({ env, state, host }: RevokeParts, name: string): Promise<string> {
  const until = env.monotonic() + deadlineMs;
  const seen = new Set<string>();
  for (;;) {
    const left: LiveRun[] = [];
    for (const run of await state.registry.liveRuns(name)) {
      seen.add(run.run);
      if (run.host !== host) left.push(run);
      else if (isAlive(run.processGroup)) {
        killGroup(run);
        left.push(run);
      } else if (!isAlive(run.governorPid)) {
        // The governor that drove it is gone as well, so nobody else will take it off the list.
        await state.registry.endRun(run.run);
      }
    }
    if (left.length === 0) return seen.size === 0 ? 'none was running' : `${seen.size} stopped`;
    if (env.monotonic() > until) {
      const who = left.map((run) => `process ${run.processGroup} on ${run.host}`).join(', ');
      throw new AgovError('INTERNAL', { what: `Still running after ${deadlineMs / 1000} s: ${who}.` });
    }
    await env.sleep(pollMs);
  }
}

/** The leader's death takes the sandbox with it; the group is signalled too for `sandbox: none`. */
function killGroup(run: LiveRun): void {
  for (const target of [run.processGroup, -run.processGroup]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch (error) {
      // Whoever is still there after the deadline is named; one that we may not kill keeps no other alive.
      if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
    }
  }
}

async function endLeases({ ledger, secrets }: RevokeParts, name: string): Promise<string> {
  const store = await secrets();
  if (!store) return 'none was held';
  const mine = (await store.leases()).filter((lease) => ledger.byId(lease.intent)?.agent === name);
  const ends = await Promise.allSettled(mine.map((lease) => store.end(lease.id)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return mine.length === 0 ? 'none was held' : `${mine.length} ended`;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
