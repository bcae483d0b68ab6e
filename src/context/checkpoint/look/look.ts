/** Everything that a checkpoint holds, as it stands at this moment. */
import { AgovError } from '../../../kernel/index.ts';
import type { Parts, PartValue } from '../format/parts.ts';
import { type FilesLooked, type FilesParts, lookAtFiles } from './files.ts';
import { partOf, type Sources } from './sources.ts';

export interface Looked {
  readonly parts: Parts;
  /** By path. */
  readonly hunks: ReadonlyMap<string, string>;
}

export interface LookOptions extends FilesParts {
  /** Real path. */
  readonly root: string;
  readonly sources: Sources;
  readonly notes: PartValue<'notes'>;
  /** The newest entry of the memory that the checkpoint before knew. */
  readonly after: string | undefined;
}

export async function lookAround(options: LookOptions): Promise<Looked> {
  const { checkouts, cleaner, root, sources, notes, after } = options;
  const checkout = await checkouts.look(root);
  let looked: FilesLooked | undefined;
  const [files, status, work, agents, memory, ledger, environment] = await Promise.all([
    partOf(async () => {
      if (!checkout.ok) throw new AgovError('NOT_FOUND', { what: checkout.why });
      looked = await lookAtFiles(options, root, checkout.changes);
      return looked.part;
    }),
    partOf(sources.status),
    partOf(sources.work),
    partOf(sources.agents),
    partOf(() => sources.memory(after)),
    partOf(sources.ledger),
    partOf(sources.environment),
  ]);
  const git: Parts['git'] = checkout.ok ? { ok: true, value: headOf(checkout) } : { ok: false, why: checkout.why };
  const all: Parts = {
    ...{ notes: { ok: true, value: notes }, git, files, status, work, agents, memory, ledger, environment },
  };
  const hunks = new Map(looked?.part.files.map(({ path }, i) => [path, looked?.hunks[i] ?? '']));
  // Paths and digests are no texts of somebody: what they name must be found again.
  return { parts: { ...cleaner.value(all), files, ledger }, hunks };
}

function headOf({ commit, subject, branch }: PartValue<'git'>): PartValue<'git'> {
  return {
    ...(commit === undefined ? {} : { commit }),
    ...(subject === undefined ? {} : { subject }),
    ...(branch === undefined ? {} : { branch }),
  };
}
