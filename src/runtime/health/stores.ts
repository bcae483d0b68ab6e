/** Looks at what is kept: the record, the state, the secrets and their leases. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration } from '../../kernel/index.ts';
import type { Finding, ProbeParts, VaultHealth } from './types.ts';

const slowSyncMs = 50;
const slowRoundTripMs = 20;
const slowSignatureMs = 100;
const fullMemory = 0.9;

export async function probeLedger(parts: ProbeParts): Promise<Finding> {
  const log = await parts.ledger();
  const { size } = log.head();
  const openIntents = log.openIds().length;
  const syncMs = await timeSync(parts);
  const found = {
    figure: `${size} entries, ${openIntents} open, on disk in ${formatDuration(syncMs)}`,
    facts: { entries: size, open: openIntents, syncMs },
  };
  if (syncMs <= slowSyncMs) return { verdict: 'ok', ...found };
  const remedy = `Every decision waits for this disk: put ${parts.dataDir} on a faster one, or look what else writes there.`;
  return { verdict: 'warn', ...found, remedy };
}

/** How long a block takes to reach the disk, beside the record and not in it: the middle one of three, in milliseconds. */
async function timeSync({ env, dataDir }: ProbeParts): Promise<number> {
  const path = join(dataDir, `.probe-${Buffer.from(env.random(8)).toString('hex')}`);
  const file = await open(path, 'wx', 0o600);
  try {
    const taken: number[] = [];
    for (let i = 0; i < 3; i++) {
      const began = env.monotonic();
      await file.write(Buffer.alloc(4096, i));
      await file.datasync();
      taken.push(env.monotonic() - began);
    }
    return tenth(taken.sort((a, b) => a - b)[1] ?? 0);
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

export async function probeSigner({ env, sign }: ProbeParts): Promise<Finding | undefined> {
  if (!sign) return undefined;
  const began = env.monotonic();
  await sign();
  const signMs = tenth(env.monotonic() - began);
  const found = { figure: `signs in ${formatDuration(signMs)}`, facts: { signMs } };
  if (signMs <= slowSignatureMs) return { verdict: 'ok', ...found };
  return {
    verdict: 'warn',
    ...found,
    remedy: 'Every decision waits for it: look at the load of Vault and the network.',
  };
}

export async function probeState(parts: ProbeParts): Promise<Finding> {
  const { registry } = await parts.state();
  const began = parts.env.monotonic();
  const agents = await registry.list();
  const listMs = parts.env.monotonic() - began;
  const runs = await registry.liveRuns();
  const { engine, persistence, roundTripMs = listMs, memoryUsed = 0 } = await parts.stateHealth();
  const active = agents.filter((agent) => agent.status === 'active').length;
  const found = {
    figure: `${active} of ${agents.length} agents active, ${runs.length} running; ${engine}, ${formatDuration(roundTripMs)} there and back, ${persistence}`,
    facts: {
      agents: agents.length,
      active,
      running: runs.length,
      roundTripMs: tenth(roundTripMs),
      engine,
      persistence,
    },
  };
  if (memoryUsed > fullMemory) {
    const remedy = `It has used ${Math.round(memoryUsed * 100)} % of its memory: raise the limit before it refuses writes.`;
    return { verdict: 'warn', ...found, remedy };
  }
  if (roundTripMs <= slowRoundTripMs) return { verdict: 'ok', ...found };
  const remedy = 'Every decision waits for it: look at the load of the state server and the network between.';
  return { verdict: 'warn', ...found, remedy };
}

/** What a server in this state lacks; an active one lacks nothing. */
const vaultRemedies: Readonly<Record<VaultHealth['state'], { verdict: Finding['verdict']; remedy?: string }>> = {
  active: { verdict: 'ok' },
  standby: { verdict: 'warn', remedy: 'Name the load balancer or the active node: a standby only passes requests on.' },
  replica: { verdict: 'fail', remedy: 'Name the primary cluster in secrets.vault.address.' },
  sealed: { verdict: 'fail', remedy: 'vault operator unseal' },
  uninitialised: { verdict: 'fail', remedy: 'vault operator init' },
  throttled: { verdict: 'warn', remedy: 'Raise the quota: vault list sys/quotas/rate-limit' },
};

export async function probeVault({ vaultHealth }: ProbeParts): Promise<Finding | undefined> {
  const found = await vaultHealth();
  if (!found) return undefined;
  const { state, version = 'unknown' } = found;
  return { ...vaultRemedies[state], figure: `${state}, version ${version}`, facts: { state, version } };
}

export async function probeSecrets({ secrets }: ProbeParts): Promise<Finding> {
  const store = await secrets();
  if (!store) return { verdict: 'ok', figure: 'none stored yet' };
  const stored = (await store.list()).length;
  return { verdict: 'ok', figure: `${stored} stored`, facts: { stored } };
}

/** Asking for the leases also tries again to end those that should have ended. */
export async function probeLeases({ secrets }: ProbeParts): Promise<Finding> {
  const leases = (await (await secrets())?.leases()) ?? [];
  const unended = leases.filter((lease) => lease.unended !== undefined);
  const facts = { live: leases.length - unended.length, unended: unended.length };
  const figure = `${facts.live} live, ${facts.unended} that could not be ended`;
  const [first] = unended;
  if (!first) return { verdict: 'ok', figure, facts };
  const remedy = `A credential of ${first.path} lives on: ${first.unended} See "agov leases", which tries again.`;
  return { verdict: 'warn', figure, facts, remedy };
}

export async function probeKills({ unfinishedKills }: ProbeParts): Promise<Finding | undefined> {
  if (!unfinishedKills) return undefined;
  const left = await unfinishedKills();
  const facts = { unfinished: left.length };
  if (left.length === 0) return { verdict: 'ok', figure: 'none unfinished', facts };
  const figure = `${left.length} unfinished: ${left[0]}`;
  return { verdict: 'fail', figure, facts, remedy: 'agov kill --retry; "agov serve" does it by itself.' };
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
