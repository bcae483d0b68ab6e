/** Puts the artifacts of a result where the coordinator can fetch them for a while; what is too large stays here. */
import type { Parcels } from '../../../adapters/queue/port.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { Env } from '../../../kernel/index.ts';
import type { ArtifactRef } from '../../../schemas/index.ts';
import { whenItAnswers } from '../patience.ts';

const ttlMs = 3_600_000;

export interface SendParts {
  readonly env: Env;
  readonly artifacts: Artifacts;
  readonly queue: { readonly parcels: Parcels };
  /** In all. */
  readonly mostBytes: number;
  /** For ten of these a server that is away is waited for, each time. */
  readonly leaseMs: number;
}

/**
 * Digests of those that were not sent. The small ones first, so that what a stage prints is seldom among them. That the
 * server is away is no failure of what was done.
 */
export async function sendArtifacts(
  { env, artifacts, queue: { parcels }, mostBytes, leaseMs }: SendParts,
  refs: readonly ArtifactRef[],
): Promise<readonly string[]> {
  const unique = new Map(refs.map((ref) => [ref.sha256, ref]));
  const left: string[] = [];
  let room = mostBytes;
  for (const { sha256, size } of [...unique.values()].sort((a, b) => a.size - b.size)) {
    if (size > room) {
      left.push(sha256);
      continue;
    }
    room -= size;
    const bytes = await artifacts.get(sha256);
    const sent = await whenItAnswers(env, 10 * leaseMs, () => parcels.put(sha256, bytes, ttlMs).then(() => true));
    if (!sent) left.push(sha256);
  }
  return left;
}
