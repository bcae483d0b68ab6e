/**
 * The checkpoints of a project: `checkpoints/SEQ-ID.jsonl`, in the order in which they were taken, and the content of files
 * under `checkpoints/objects`, once for equal bytes. What is there is whole, whenever whoever writes is killed.
 */
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { type Artifacts, fileArtifacts } from '../../../governance/evidence/index.ts';
import { AgovError, type Env, type IdSource } from '../../../kernel/index.ts';
import { decodeAbout, decodeCheckpoint, encodeCheckpoint, type Read, unreadable } from '../format/file.ts';
import type { About, Checkpoint, Parts } from '../format/parts.ts';
import { firstLine, notKept, readPlain, removeLeft, syncFolder, writeWhole } from './files.ts';

export interface Stored {
  readonly seq: number;
  readonly id: string;
  readonly file: string;
}

export interface Store {
  /** Where drafts may be made; it is there. */
  readonly folder: string;
  /** The oldest first. */
  list(): readonly Stored[];
  /** @throws NOT_FOUND, INPUT_INVALID */
  read(stored: Stored): Read;
  /** What it is, without reading the rest of it; undefined where that cannot be read. */
  about(stored: Stored): About | undefined;
  /** @throws DISK_FULL, NOT_WRITABLE */
  write(checkpoint: Checkpoint): void;
  keep(content: Uint8Array): Promise<string>;
  /** @throws NOT_FOUND, LEDGER_BROKEN */
  content(sha256: string): Promise<Buffer>;
  remove(stored: readonly Stored[]): void;
  /** Contents that no checkpoint names any more. How many were removed. */
  sweep(): number;
}

const fileName = /^(\d{8,16})-([0-9a-f-]{36})\.jsonl$/;
const mostBytes = 64 * 1024 * 1024;
const mostAbout = 64 * 1024;
/** Somebody may be about to name what was put there just now. */
const youngMs = 3_600_000;

export function openStore(folder: string, env: Env, ids: IdSource): Store {
  const objects = join(folder, 'objects');
  try {
    mkdirSync(objects, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw notKept(folder, error);
  }
  const artifacts: Artifacts = fileArtifacts(objects, ids);
  const placeOf = (sha256: string): string => join(objects, sha256.slice(0, 2), sha256);

  const list = (): readonly Stored[] =>
    readdirSync(folder)
      .flatMap((file) => {
        const [, seq, id] = fileName.exec(file) ?? [];
        const number = Number(seq);
        return id === undefined || !Number.isSafeInteger(number) ? [] : [{ seq: number, id, file }];
      })
      .sort((a, b) => a.seq - b.seq || (a.id < b.id ? -1 : 1));

  function read({ file, id, seq }: Stored): Read {
    const read = decodeCheckpoint(readPlain(join(folder, file), id, mostBytes), { id, seq });
    const { about } = read.checkpoint;
    if (about.id === id && about.seq === seq) return read;
    throw unreadable(id, `It calls itself ${about.id}, number ${about.seq}.`);
  }

  return {
    ...{ folder, list, read },
    about({ file, id, seq }) {
      const line = firstLine(join(folder, file), mostAbout);
      const about = line === undefined ? undefined : decodeAbout(line);
      return about?.id === id && about.seq === seq ? about : undefined;
    },
    write(checkpoint) {
      const { seq, id } = checkpoint.about;
      if (!Number.isSafeInteger(seq)) throw noNumber(folder);
      for (const begins of ['.draft-', '.compare-']) removeLeft(folder, begins, env.now());
      removeLeft(join(objects, 'incoming'), '', env.now());
      writeWhole(folder, `${String(seq).padStart(8, '0')}-${id}.jsonl`, encodeCheckpoint(checkpoint));
    },
    async keep(content) {
      try {
        const { sha256 } = await artifacts.put('file', content);
        const now = env.now() / 1000;
        utimesSync(placeOf(sha256), now, now);
        return sha256;
      } catch (error) {
        throw notKept(folder, error);
      }
    },
    content: (sha256) => artifacts.get(sha256),
    remove(stored) {
      for (const { file } of stored) rmSync(join(folder, file), { force: true });
      syncFolder(folder);
    },
    sweep() {
      const named = new Set<string>();
      for (const stored of list()) {
        const parts = partsOf(() => read(stored));
        // What a damaged one names nobody knows: nothing is removed while there is one.
        if (parts?.files.ok === false && parts.files.why.includes('damaged')) return 0;
        if (parts === undefined) return 0;
        for (const sha256 of namedBy(parts)) named.add(sha256);
      }
      let removed = 0;
      for (const shelf of readdirSync(objects).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
        for (const sha256 of readdirSync(join(objects, shelf))) {
          const stat = statSync(placeOf(sha256), { throwIfNoEntry: false });
          if (named.has(sha256) || !stat || env.now() - stat.mtimeMs < youngMs) continue;
          rmSync(placeOf(sha256), { force: true });
          removed += 1;
        }
      }
      return removed;
    },
  };
}

function partsOf(read: () => Read): Parts | undefined {
  try {
    return read().checkpoint.parts;
  } catch {
    // It cannot be read: the caller goes on as with one that is damaged.
    return undefined;
  }
}

function namedBy({ files }: Parts): readonly string[] {
  if (!files.ok) return [];
  const { diff, files: all } = files.value;
  return [...(diff ? [diff.sha256] : []), ...all.flatMap(({ content }) => (content === undefined ? [] : [content]))];
}

function noNumber(folder: string): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: 'No checkpoint can be taken: there is no number after the last one.',
    why: `Somebody has put a file with the highest number there is into ${folder}.`,
    fix: 'Remove that file: its name begins with 9007199254740991.',
  });
}
