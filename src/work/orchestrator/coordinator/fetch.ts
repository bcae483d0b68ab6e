/** Brings the artifacts of a result to this host, where the worker has sent them; each is what its digest says, or is none. */
import type { Parcels } from '../../../adapters/queue/port.ts';
import type { Artifacts } from '../../../governance/evidence/index.ts';
import { type Env, sha256Hex } from '../../../kernel/index.ts';
import type { ArtifactRef } from '../../../schemas/index.ts';
import { whenItAnswers } from '../patience.ts';

export interface FetchParts {
  readonly env: Env;
  readonly artifacts: Artifacts;
  readonly queue: { readonly parcels: Parcels };
  /** For ten of these a server that is away is waited for, each time. */
  readonly leaseMs: number;
}

/** Those that could not be had. */
export async function fetchArtifacts(
  { env, artifacts, queue: { parcels }, leaseMs }: FetchParts,
  refs: readonly ArtifactRef[],
): Promise<readonly ArtifactRef[]> {
  const missing: ArtifactRef[] = [];
  const unique = new Map(refs.map((ref) => [ref.sha256, ref]));
  for (const ref of unique.values()) {
    if (await artifacts.has(ref.sha256)) continue;
    const bytes = await whenItAnswers(env, 10 * leaseMs, () => parcels.get(ref.sha256));
    if (bytes && sha256Hex(bytes) === ref.sha256) await artifacts.put(ref.name, bytes);
    else missing.push(ref);
  }
  return missing;
}
