/**
 * The files that were in flight, put back into a new branch with a folder of its own: what stands there now is not touched.
 * What is not kept whole is left out and told.
 */
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import type { Checkouts } from '../../../adapters/checkout/port.ts';
import { AgovError, messageOf, sha256Hex } from '../../../kernel/index.ts';
import type { Checkpoint, FileInFlight } from '../format/parts.ts';
import type { Store } from '../store/store.ts';

export interface Restored {
  readonly branch: string;
  readonly folder: string;
  readonly commit: string;
  readonly files: readonly string[];
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
}

export interface RestoreWanted {
  readonly branch: string;
  /** Absolute. */
  readonly folder: string;
}

/** @throws INPUT_INVALID, CONFLICT, TOOL_FAILED */
export async function restoreFiles(
  { store, checkouts, root }: { store: Store; checkouts: Checkouts; root: string },
  { about, parts: { git, files } }: Checkpoint,
  { branch, folder }: RestoreWanted,
): Promise<Restored> {
  const commit = git.ok ? git.value.commit : undefined;
  if (!files.ok || commit === undefined) {
    throw new AgovError('INPUT_INVALID', {
      what: `The checkpoint ${about.id} has no files to put back.`,
      why: files.ok ? (git.ok ? 'There was no commit yet.' : git.why) : files.why,
      fix: `See what it has: agov checkpoint show ${about.id.slice(-12)}`,
    });
  }
  const above = dirname(folder);
  if (existsSync(above) && realpathSync(above) !== above) throw elsewhere(above);
  // What is damaged is found before anything is made.
  const ready = await Promise.all(files.value.files.map((file) => prepare(store, file)));
  await checkouts.branchOut(root, { commit, branch, into: folder });
  const done: string[] = [];
  const leftOut: { path: string; why: string }[] = [];
  for (const one of ready) {
    if ('why' in one) leftOut.push({ path: one.path, why: one.why });
    else if (put(folder, one)) done.push(one.file.path);
    else leftOut.push({ path: one.file.path, why: 'Its way leads through a link.' });
  }
  return { branch, folder, commit, files: done, leftOut };
}

function elsewhere(above: string): AgovError {
  return new AgovError('CONFLICT', {
    ...{ what: 'Nothing is put back through a link.', why: `${above} leads to ${realpathSync(above)}.` },
    fix: `Look who made it, and remove it: rm ${above}`,
  });
}

type Ready = { readonly file: FileInFlight; readonly bytes?: Buffer } | { readonly path: string; readonly why: string };

async function prepare(store: Store, file: FileInFlight): Promise<Ready> {
  const { path, change, content, redacted, without, sha256 } = file;
  if (change === 'deleted') return { file };
  if (redacted !== undefined) return { path, why: 'It holds a secret, which is not kept.' };
  if (content === undefined) return { path, why: `Its content is not kept: ${without ?? 'it was not read'}.` };
  try {
    const bytes = await store.content(content);
    return sha256Hex(bytes) === sha256 ? { file, bytes } : { path, why: 'What is kept is not the file.' };
  } catch (error) {
    return { path, why: messageOf(error) };
  }
}

/** False where its way would lead out of the folder: a commit may hold links. */
function put(folder: string, { file, bytes }: Extract<Ready, { file: FileInFlight }>): boolean {
  const { path, from, link, executable } = file;
  if (!isPlain(folder, path) || (from !== undefined && !isPlain(folder, from))) return false;
  if (from !== undefined) within(folder, from, (old) => rmSync(old, { force: true }));
  if (!bytes) return !existsSync(join(folder, path)) || within(folder, path, (place) => rmSync(place, { force: true }));
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  return within(folder, path, (place) => {
    rmSync(place, { force: true });
    if (link) return symlinkSync(bytes.toString(), place);
    writeFileSync(place, bytes, { flag: 'wx' });
    return chmodSync(place, executable ? 0o755 : 0o644);
  });
}

/** In the folder that was looked at, held open: agents write here as well, and may put a link in its place in between. */
function within(folder: string, path: string, use: (place: string) => void): boolean {
  const wanted = join(folder, path);
  const held = openSync(dirname(wanted), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    if (readlinkSync(`/proc/self/fd/${held}`) !== dirname(wanted)) return false;
    use(join(`/proc/self/fd/${held}`, basename(wanted)));
    return true;
  } finally {
    closeSync(held);
  }
}

/** Folders only on the way, as far as there is one. */
function isPlain(folder: string, path: string): boolean {
  const words = path.split('/');
  if (normalize(path) !== path || words.some((word) => /^(?:\.\.?|\.git|)$/i.test(word))) return false;
  const place = join(folder, path);
  for (let dir = dirname(place); dir !== folder; dir = dirname(dir)) {
    const stat = lstatSync(dir, { throwIfNoEntry: false });
    if (stat && !stat.isDirectory()) return false;
  }
  const stat = lstatSync(place, { throwIfNoEntry: false });
  return !stat?.isDirectory();
}
