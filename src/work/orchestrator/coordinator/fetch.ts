/** Brings the artifacts of a result to this host, where the worker has sent them; each is what its digest says, or is none. */
import type { Parcels } from '../../../adapters/queue/port.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import { sha256Hex } from '../../../kernel/index.ts';
import type { ArtifactRef } from '../../../schemas/index.ts';

/** Those that could not be had. */
export async function fetchArtifacts(
  artifacts: Artifacts,
  parcels: Parcels,
  refs: readonly ArtifactRef[],
): Promise<readonly ArtifactRef[]> {
  const missing: ArtifactRef[] = [];
  const unique = new Map(refs.map((ref) => [ref.sha256, ref]));
  for (const ref of unique.values()) {
    if (await artifacts.has(ref.sha256)) continue;
    const bytes = await parcels.get(ref.sha256);
    if (bytes && sha256Hex(bytes) === ref.sha256) await artifacts.put(ref.name, bytes);
    else missing.push(ref);
  }
  return missing;
}
