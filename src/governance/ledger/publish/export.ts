/** Writes the log as C2SP tlog-tiles: what any web server can publish and any verifier of such logs can read. */
import { mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AgovError } from '../../../kernel/index.ts';
import { brokenLedger, type Reads } from '../store/index.ts';
import { tilePath } from '../tree/index.ts';
import { hashesAtLevel, tileWidth } from '../verifier/index.ts';

export interface Exported {
  readonly files: number;
  readonly entries: number;
}

/** Called with how many of all entries are written so far. */
export type ExportProgress = (done: number, total: number) => void;

export interface ExportOptions {
  readonly path: string;
  readonly reads: Reads;
  readonly head: { readonly size: number; readonly note: string };
  readonly dir: string;
  readonly onProgress?: ExportProgress | undefined;
}

export async function exportLog({ path, reads, head, dir, onProgress }: ExportOptions): Promise<Exported> {
  const { size, note } = head;
  const tiles = tileFiles(path, reads, size);
  const bundles = bundleFiles(path, reads, size);
  for (const { name, content } of tiles) await writeWhole(dir, name, content());
  for (const [index, { name, content }] of bundles.entries()) {
    await writeWhole(dir, name, content());
    onProgress?.(Math.min((index + 1) * tileWidth, size), size);
  }
  // Last, so that no checkpoint is ever seen without the files that it stands for.
  await writeWhole(dir, 'checkpoint', Buffer.from(note));
  return { files: tiles.length + bundles.length + 1, entries: size };
}

interface PlannedFile {
  readonly name: string;
  readonly content: () => Uint8Array;
}

function tileFiles(path: string, reads: Reads, size: number): PlannedFile[] {
  const files: PlannedFile[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    for (const { index, width } of tilesOf(hashesAtLevel(size, level))) {
      const content = (): Uint8Array => {
        const hashes = reads.tile(level, index, width);
        if (hashes === undefined) throw brokenLedger(path, `Tile ${index} of level ${level} is missing.`);
        return hashes;
      };
      files.push({ name: tilePath(level, index, width), content });
    }
  }
  return files;
}

function bundleFiles(path: string, reads: Reads, size: number): PlannedFile[] {
  return tilesOf(size).map(({ index, width }) => ({
    name: tilePath('entries', index, width),
    content: () => {
      const first = index * tileWidth;
      const rows = reads.entries(first, first + width - 1, width, false);
      if (rows.length !== width) throw brokenLedger(path, `Entries are missing from ${first} on.`);
      return Buffer.concat(rows.flatMap(({ bytes }) => [lengthPrefix(bytes), bytes]));
    },
  }));
}

function tilesOf(hashes: number): { readonly index: number; readonly width: number }[] {
  return Array.from({ length: Math.ceil(hashes / tileWidth) }, (_, index) => ({
    index,
    width: Math.min(tileWidth, hashes - index * tileWidth),
  }));
}

function lengthPrefix(bytes: Uint8Array): Uint8Array {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16BE(bytes.length);
  return prefix;
}

/**
 * Beside and then over the old file: a server that publishes the folder never sees half of one. Through no link: whoever
 * can write into the folder, an agent where it lies in the project, would have us write wherever the link leads.
 */
async function writeWhole(dir: string, name: string, content: Uint8Array): Promise<void> {
  const path = join(dir, name);
  await mkdir(dirname(path), { recursive: true });
  if ((await realpath(dirname(path))) !== join(await realpath(dir), dirname(name))) {
    throw new AgovError('NOT_WRITABLE', {
      what: `${dirname(path)} is a link, and the log is not written through it.`,
      fix: `Remove it, or name a folder that nobody else writes: ${dir} is not one.`,
    });
  }
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  await writeFile(draft, content, { flag: 'wx' });
  await rename(draft, path);
}
