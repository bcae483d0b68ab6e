/** Checkpoints by what people call them: `latest`, an id, some characters of its beginning or end, a tag. */
import { AgovError } from '../../../kernel/index.ts';
import type { Read } from '../format/file.ts';
import type { Store, Stored } from './store.ts';

/** Who asks: all of what is in their space is theirs; of the others they may know, or not. */
export interface Finder {
  readonly space: string;
  readonly all: boolean;
}

/**
 * By an id any that the asker may know of. By `latest` their own alone, and by a tag their own first: another one's is never
 * taken for theirs because it is newer, or is called the same.
 * NOT_FOUND, CONFLICT, INPUT_INVALID
 */
export function findCheckpoint(store: Store, name: string, { space, all }: Finder): Read {
  const own = ({ checkpoint }: Read): boolean => checkpoint.about.space === space;
  const mine = (read: Read): boolean => all || own(read);
  const known = [...store.list()].reverse();
  if (name === 'latest') {
    for (const stored of known) {
      const read = tryRead(store, stored);
      if (read && own(read)) return read;
    }
    throw none();
  }
  const asked = name.toLowerCase();
  const byId = /^[0-9a-f-]{4,36}$/.test(asked)
    ? known.filter(({ id }) => id.startsWith(asked) || id.endsWith(asked))
    : [];
  if (byId.length === 1 && byId[0]) {
    const read = store.read(byId[0]);
    if (mine(read)) return read;
  }
  const reads = (byId.length > 1 ? byId : known).flatMap((stored) => tryRead(store, stored) ?? []).filter(mine);
  if (byId.length > 1) {
    const [only, another] = reads;
    if (only && !another) return only;
    if (only) throw several(name, reads);
  }
  const tagged = reads.filter(({ checkpoint }) => checkpoint.about.tag === name);
  const [first] = [...tagged.filter(own), ...tagged];
  if (first) return first;
  throw new AgovError('NOT_FOUND', {
    what: `There is no checkpoint "${name.slice(0, 80)}".`,
    fix: 'Give its id, four or more characters of the beginning or the end, or its tag: agov checkpoint timeline',
  });
}

/** The newest ones are what is asked for: one that cannot be read must not hide those before it. */
export function tryRead(store: Store, stored: Stored): Read | undefined {
  try {
    return store.read(stored);
  } catch {
    // It is told of where it is asked for by its id.
    return undefined;
  }
}

function several(name: string, reads: readonly Read[]): AgovError {
  const shown = reads.slice(0, 10).map(({ checkpoint: { about } }) => {
    const tag = about.tag === undefined ? '' : ` "${about.tag}"`;
    return `\n    ${about.id} of ${about.at.slice(0, 19)}${tag}`;
  });
  return new AgovError('CONFLICT', {
    what: `"${name}" is the beginning or the end of ${reads.length} checkpoints.`,
    why: `They are${shown.join('')}${reads.length > 10 ? '\n    …' : ''}`,
    fix: 'Give more characters, or those of its end.',
    details: { ids: reads.map(({ checkpoint }) => checkpoint.about.id) },
  });
}

export function none(): AgovError {
  return new AgovError('NOT_FOUND', { what: 'There is no checkpoint yet.', fix: 'Take one: agov checkpoint now' });
}
