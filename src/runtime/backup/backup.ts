/**
 * A backup is a folder of copies with a manifest, which is written last: without it the backup is not one. The record is
 * copied before the artifacts, so that no entry names one that is missing. State is left out: it is made anew from the
 * ledger, and an old one would be believed. Keys go into a folder of their own or nowhere.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { isInside, whereItLeads } from '../../governance/governor/index.ts';
import { AgovError, messageOf, systemCode } from '../../kernel/index.ts';
import { copyDatabase, copyWhole, digestOf, filesBelow } from './files.ts';

const fileSchema = z.strictObject({
  // What a manifest names is written below the data folder, and must not lead out of it.
  path: z.string().regex(/^(?!.*(?:^|\/)\.\.?(?:\/|$))[\w.@-]+(?:\/[\w.@-]+)*$/),
  size: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const manifestSchema = z.strictObject({
  format: z.literal(1),
  at: z.string(),
  instance: z.string().regex(/^[0-9a-f-]{36}$/),
  /** The signed head that the copied record has at least. */
  head: z.string(),
  files: z.array(fileSchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface BackupParts {
  /** Of the project: what lies in it, agents read. */
  readonly root: string;
  /** `.agov/` of the project, and the folder of its keys. */
  readonly data: string;
  readonly keys: string;
  readonly instance: string;
  /** The newest signed head, taken before the copy. */
  readonly head: string;
  readonly at: string;
}

/** Runtime files, and what is losable or half. */
const passedOver = /^(?:state\.db.*|serve\..*|\.probe-.*|artifacts\/incoming\/.*|.*-wal|.*-shm|.*-journal)$/;

/** @throws AgovError INPUT_INVALID inside the project, CONFLICT when `dir` holds something, NOT_WRITABLE, DISK_FULL */
export async function backUp(
  { root, data, keys, ...about }: BackupParts,
  dir: string,
  keysDir?: string,
): Promise<Manifest> {
  refuseInside(root, dir, keysDir);
  await emptyFolder(dir);
  if (keysDir !== undefined) await emptyFolder(keysDir);
  const wanted = async (): Promise<readonly string[]> =>
    (await filesBelow(data)).filter((path) => !passedOver.test(path));
  const files: Manifest['files'] = [];
  const copy = async (path: string, by: (from: string, to: string) => Promise<void>): Promise<void> => {
    const to = join(dir, 'data', path);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await by(join(data, path), to);
    files.push(await digestOf(join(dir, 'data'), path));
  };
  for (const path of (await wanted()).filter(isDatabase)) await copy(path, copyDatabase);
  for (const path of (await wanted()).filter((one) => !isDatabase(one))) await copy(path, copyWhole);
  if (keysDir !== undefined) {
    for (const path of await filesBelow(keys)) await copyWhole(join(keys, path), join(keysDir, path));
  }
  const manifest: Manifest = { format: 1, ...about, files };
  await writeFile(join(dir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  return manifest;
}

/** The manifest of a backup all of whose files are what it says. @throws AgovError NOT_FOUND, INPUT_INVALID */
export async function checkBackup(dir: string): Promise<Manifest> {
  const manifest = await readManifest(dir);
  for (const file of manifest.files) {
    // No backup of ours has one: it would be believed as state, or as what SQLite has still to write.
    if (passedOver.test(file.path)) throw damaged(dir, `${file.path} is in no backup.`);
    const found = await digestOf(join(dir, 'data'), file.path).catch((error: unknown) => {
      throw damaged(dir, `${file.path} cannot be read: ${messageOf(error)}.`);
    });
    if (found.sha256 !== file.sha256) throw damaged(dir, `${file.path} is not what was copied.`);
  }
  return manifest;
}

/**
 * Puts a checked backup into an empty data folder, the ledger last, and keys where they are missing. What is there stays:
 * above all the saved head, by which a backup that is too old is found out.
 * @throws AgovError CONFLICT when the project has a ledger
 */
export async function restore(
  dir: string,
  { files, instance }: Manifest,
  to: { readonly data: string; readonly keysOf: (instance: string) => string },
  keysDir?: string,
): Promise<void> {
  const there = await readdir(to.data).catch(() => []);
  if (there.some((name) => name !== 'instance')) {
    throw new AgovError('CONFLICT', {
      what: `${to.data} holds a project’s data already.`,
      why: 'A record is never written over.',
      fix: `Stop what runs and move it away: mv ${to.data} ${to.data}.before`,
    });
  }
  await mkdir(to.data, { recursive: true, mode: 0o700 });
  const last = (path: string): number => Number(path === 'ledger.db');
  for (const { path } of files.filter(({ path }) => path !== 'instance').sort((a, b) => last(a.path) - last(b.path))) {
    await copyWhole(join(dir, 'data', path), join(to.data, path));
  }
  // An "agov init" may have made one meanwhile, which nothing was recorded under.
  await writeFile(join(to.data, 'instance'), `${instance}\n`, { mode: 0o600, flush: true });
  if (keysDir === undefined) return;
  for (const path of await filesBelow(keysDir)) {
    await copyWhole(join(keysDir, path), join(to.keysOf(instance), path)).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
  }
}

async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, 'manifest.json');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const why = 'It is written last: a folder without it is an unfinished backup, or none.';
    throw new AgovError('NOT_FOUND', { what: `There is no backup in ${dir}.`, why, cause: error });
  });
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    throw damaged(dir, 'Its manifest is not one.');
  }
}

/** What is hidden from agents in its own place would lie open to them in a copy. */
function refuseInside(root: string, dir: string, keysDir: string | undefined): void {
  const within = whereItLeads(root);
  for (const one of [dir, ...(keysDir === undefined ? [] : [keysDir])]) {
    if (!isInside(whereItLeads(one), within)) continue;
    throw new AgovError('INPUT_INVALID', {
      what: `${one} lies in the project.`,
      why: 'Agents read what is there: the record, and the keys if they are in it.',
      fix: 'Name a folder outside of the project.',
    });
  }
  if (keysDir === undefined || !isInside(whereItLeads(keysDir), whereItLeads(dir))) return;
  throw new AgovError('INPUT_INVALID', {
    what: `${keysDir} lies in the backup.`,
    why: 'Whoever has a backup and its keys can read the secrets and continue the record.',
    fix: 'Name a folder that is kept apart.',
  });
}

async function emptyFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if ((await readdir(dir)).length === 0) return;
  throw new AgovError('CONFLICT', { what: `${dir} is not empty.`, fix: 'Name a new folder for each backup.' });
}

function isDatabase(path: string): boolean {
  return basename(path) === path && path.endsWith('.db');
}

function damaged(dir: string, why: string): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `The backup in ${dir} is damaged.`,
    why,
    fix: 'Nothing was restored. Use another backup.',
  });
}
