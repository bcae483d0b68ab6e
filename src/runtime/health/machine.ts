/** Looks at the machine: the sandbox, the disk, the clock; and at the rules, which lie on it. */
import { statfs } from 'node:fs/promises';
import { formatDuration } from '../../kernel/index.ts';
import type { Finding, ProbeParts } from './types.ts';

const lowDisk = 512 * 1024 * 1024;
const fullDisk = 16 * 1024 * 1024;
const lowInodes = 10_000;
const fullInodes = 100;
const skewMs = 2000;

export async function probePolicy({ policy }: ProbeParts): Promise<Finding> {
  const { size, version } = await policy();
  return {
    verdict: 'ok',
    figure: `${size} policies, version ${version.slice(0, 12)}`,
    facts: { policies: size, version },
  };
}

export async function probeSandbox({ sandbox }: ProbeParts): Promise<Finding> {
  const { ok, detail } = await sandbox.health();
  if (sandbox.kind === 'none') {
    const remedy = 'Set "sandbox: bubblewrap" in agov.yaml, and install bubblewrap.';
    return { verdict: 'warn', figure: detail, remedy };
  }
  return ok ? { verdict: 'ok', figure: detail } : { verdict: 'fail', figure: 'no run was possible', remedy: detail };
}

export async function probeDisk({ dataDir }: ProbeParts): Promise<Finding> {
  const { bavail, bsize, files, ffree } = await statfs(dataDir);
  return judgeDisk(dataDir, { freeBytes: bavail * bsize, ...(files === 0 ? {} : { freeInodes: ffree }) });
}

/** A file system without a fixed number of inodes (btrfs) tells of none. */
export function judgeDisk(
  dataDir: string,
  facts: { readonly freeBytes: number; readonly freeInodes?: number },
): Finding {
  const { freeBytes, freeInodes = Number.POSITIVE_INFINITY } = facts;
  const inodes = Number.isFinite(freeInodes) ? `, ${freeInodes} inodes` : '';
  const found = { figure: `${Math.round(freeBytes / 1024 / 1024)} MiB${inodes} free`, facts };
  if (freeBytes >= lowDisk && freeInodes >= lowInodes) return { verdict: 'ok', ...found };
  const what = freeBytes < lowDisk ? 'Free space' : 'Remove files: none more can be made';
  const remedy = `${what} on the disk of ${dataDir}: without a record nothing is allowed.`;
  return { verdict: freeBytes < fullDisk || freeInodes < fullInodes ? 'fail' : 'warn', ...found, remedy };
}

/** Leases and approvals end by the clock, so one that is wrong gives them time that nobody meant. */
export async function probeClock(parts: ProbeParts): Promise<Finding> {
  const { env } = parts;
  const [newest] = (await parts.ledger()).query({ newestFirst: true, limit: 1 });
  // What cannot be asked is another probe's to tell.
  const state = await parts.stateHealth().catch(() => undefined);
  const stateSkew = state?.at === undefined ? undefined : state.at - env.now();
  const vault = await parts.vaultHealth().catch(() => undefined);
  // Vault cuts to whole seconds.
  const vaultSkew = vault?.at === undefined ? undefined : vault.at + 500 - env.now();
  const skews = [
    { from: 'the newest entry', ms: Math.max(0, newest ? Date.parse(newest.at) - env.now() : 0) },
    ...(stateSkew === undefined ? [] : [{ from: 'the state server', ms: stateSkew }]),
    ...(vaultSkew === undefined ? [] : [{ from: 'Vault', ms: vaultSkew }]),
  ];
  const told = skews.map(({ from, ms }) => `${formatDuration(Math.abs(ms))} ${ms < 0 ? 'ahead of' : 'behind'} ${from}`);
  const facts = Object.fromEntries(skews.map(({ from, ms }) => [`${from.split(' ').at(-1)?.toLowerCase()}SkewMs`, ms]));
  const off = skews.filter(({ ms }) => Math.abs(ms) > skewMs);
  if (off.length === 0) {
    const against = skews.map(({ from }) => from).join(', ');
    return { verdict: 'ok', figure: `agrees with ${against}`, facts };
  }
  return {
    verdict: 'warn',
    figure: told.join(', '),
    facts,
    remedy: 'Set the clock (timedatectl set-ntp true), here or there: leases and approvals end at the wrong time.',
  };
}
