/**
 * The newest head, kept outside the project: whoever cuts off the log's tail together with its heads does not reach
 * this file by the same way. It is one of the saved heads that verifying takes into account.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Env, systemCode } from '../../../kernel/index.ts';
import { parseCheckpoint, parseNote } from '../verifier/index.ts';

/** The saved note; undefined where there is none, or an empty file after a power failure. */
export function readWitness(path: string): string | undefined {
  try {
    const note = readFileSync(path, 'utf8');
    return note === '' ? undefined : note;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the saved note by `note` in one step, unless it is of a longer log already (another process's). */
export function writeWitness(path: string, note: string, env: Env): void {
  const saved = readWitness(path);
  if (saved !== undefined && sizeOf(saved) > sizeOf(note)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${Buffer.from(env.random(6)).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, note);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

function sizeOf(note: string): number {
  const parsed = parseNote(note);
  if (!parsed.ok) return -1;
  const checkpoint = parseCheckpoint(parsed.value.text);
  return checkpoint.ok ? checkpoint.value.size : -1;
}
