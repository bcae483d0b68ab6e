/** Copies of a project's files that are whole, however many processes write meanwhile, with a digest of each. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';

export interface CopiedFile {
  /** Relative to the folder, with slashes. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** All pages in one step: copied in several, a database that others write begins anew each time. */
const allPages = 2 ** 31 - 1;

const ownerOnly = 0o600;

/** A copy of the database as of one moment. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const db = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  try {
    await backup(db, to, { rate: allPages });
    await chmod(to, ownerOnly);
  } finally {
    db.close();
  }
}

/** Never over a file that is there, and open to its owner alone, however the one was that it is made from. */
export async function copyWhole(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await chmod(to, ownerOnly);
}

/** Reads the file once for its digest, after making sure that it is on the disk. */
export async function digestOf(folder: string, path: string): Promise<CopiedFile> {
  const file = await open(join(folder, path), 'r');
  try {
    await file.sync();
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      hash.update(chunk);
      size += chunk.length;
    }
    return { path, size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Every regular file below `folder`, sorted; links are passed over, since what they lead to is not the project's. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
