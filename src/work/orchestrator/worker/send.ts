/** Puts the artifacts of a result where the coordinator can fetch them for a while; what is too large stays here. */
import type { Parcels } from '../../../adapters/queue/port.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import type { ArtifactRef } from '../../../schemas/index.ts';

const ttlMs = 3_600_000;

/** Digests of those that were not sent. The small ones first, so that what a stage prints is seldom among them. */
export async function sendArtifacts(
  artifacts: Artifacts,
  parcels: Parcels,
  refs: readonly ArtifactRef[],
  mostBytes: number,
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
    await parcels.put(sha256, await artifacts.get(sha256), ttlMs);
  }
  return left;
}
