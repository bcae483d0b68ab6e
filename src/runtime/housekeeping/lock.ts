/**
 * One housekeeper a project. The lock is SQLite's on an empty file: the kernel lets it go when the process ends, however
 * it ends, so that none is ever left behind to be guessed about. Who holds it stands in a file beside it.
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgovError } from '../../kernel/index.ts';

const holderSchema = z.strictObject({
  pid: z.int(),
  host: z.string(),
  since: z.string(),
  /** Where it can be asked: the path of a Unix socket, or `host:port`. */
  address: z.string(),
});
export type Holder = z.infer<typeof holderSchema>;

export interface HeldProject extends Disposable {
  /** Tells others who holds it; until then they know only that somebody does. */
  announce(holder: Holder): void;
}

/** @throws AgovError CONFLICT, with who holds it */
export function holdProject(dataDir: string): HeldProject {
  const path = join(dataDir, 'serve.lock');
  closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw alreadyServed(readHolder(dataDir), error);
  }
  const card = cardPath(dataDir);
  return {
    announce(holder) {
      const draft = `${card}.${holder.pid}`;
      writeFileSync(draft, JSON.stringify(holder), { mode: 0o600 });
      renameSync(draft, card);
    },
    [Symbol.dispose]() {
      if (!db.isOpen) return;
      rmSync(card, { force: true });
      db.close();
    },
  };
}

/** Who said last that it holds the project; it may be gone. */
export function readHolder(dataDir: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(cardPath(dataDir), 'utf8')));
  } catch {
    return undefined; // nobody, or a card that was torn: nothing to go by
  }
}

function cardPath(dataDir: string): string {
  return join(dataDir, 'serve.json');
}

function alreadyServed(holder: Holder | undefined, cause: unknown): AgovError {
  const who = holder ? `Process ${holder.pid} on ${holder.host} does, since ${holder.since}.` : 'It has just begun.';
  return new AgovError('CONFLICT', {
    what: 'Another "agov serve" looks after this project.',
    why: who,
    fix: `Leave it to that one, or stop it first${holder ? `: kill ${holder.pid}` : ''}.`,
    cause,
  });
}
