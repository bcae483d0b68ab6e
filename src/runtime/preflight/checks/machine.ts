/** What every intent rests on, as "agov doctor" looks at it: the record, the state, the sandbox, the disk. */
import type { ProbeName, ProbeResult } from '../../health/index.ts';
import type { CheckFinding, Look, PreflightParts } from '../types.ts';

export const checkLedger: Look = async (parts) => {
  // Its head is what the next entry continues: one that does not verify takes none.
  const log = await parts.ledger();
  log.checkHead(log.head().note);
  return probed(parts, 'ledger', 'signer', 'kills');
};

export const checkState: Look = (parts) => probed(parts, 'state');

export const checkSandbox: Look = (parts) => probed(parts, 'sandbox');

export const checkDisk: Look = async (parts) => {
  const floor = parts.config.preflight.disk;
  const found = await parts.probe('disk');
  const free = Number(found?.facts?.['freeBytes'] ?? 0);
  if (found === undefined || free >= floor) return found ? [findingOf(found)] : [];
  const what = `${mib(free)} MiB are free where the record is kept, and ${mib(floor)} must be.`;
  return [{ status: 'failed', what, fix: 'Free space, or set preflight.disk in agov.yaml lower.' }];
};

async function probed(parts: PreflightParts, ...names: readonly ProbeName[]): Promise<readonly CheckFinding[]> {
  const results = await Promise.all(names.map((name) => parts.probe(name)));
  const [first, ...others] = results.filter((result) => result !== undefined).map(findingOf);
  return first === undefined ? [] : [first, ...others.filter(({ status }) => status !== 'ok')];
}

function findingOf({ verdict, figure, remedy }: ProbeResult): CheckFinding {
  const what = `${figure}.`;
  return { status: verdict === 'fail' ? 'failed' : verdict, what, ...(remedy === undefined ? {} : { fix: remedy }) };
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
