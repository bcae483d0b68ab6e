/** Small files that must never be half there, nor made twice: keys, and what keys are found by. */
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from './errors.ts';

/**
 * Makes the file of mode 0600, in a folder that is there, unless it is there already: written whole under another name,
 * then linked, so that of two processes one is first and nobody reads half. `mark` is no other process's.
 */
export function createOnce(path: string, mark: string, text: string): void {
  const draft = `${path}.${mark}`;
  try {
    writeSynced(draft, text);
    linkIfFirst(draft, path);
    syncFolder(dirname(path));
  } finally {
    rmSync(draft, { force: true });
  }
}

function linkIfFirst(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    // Whoever was first has made it.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A name in a folder lasts once the folder is synced; what was sealed or signed with a key that vanished is lost. */
function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
