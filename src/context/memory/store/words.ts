/** The index of words. It keeps no text, so that a row is taken out by giving the very text that was put in. */
import type { Database } from './database.ts';

/** Inside a transaction, as all here. */
export function addWords(db: Database, part: number, label: string, text: string): void {
  db.run('INSERT INTO words (rowid, label, text) VALUES (?, ?, ?)', part, label, text);
}

export function removeWords(db: Database, part: number, label: string, text: string): void {
  db.run(`INSERT INTO words (words, rowid, label, text) VALUES ('delete', ?, ?, ?)`, part, label, text);
}

export function addTitle(db: Database, seq: number, title: string, tags: readonly string[]): void {
  db.run('INSERT INTO titles (rowid, title, tags) VALUES (?, ?, ?)', seq, title, tags.join(' '));
}

export function removeTitle(db: Database, seq: number, title: string, tags: readonly string[]): void {
  db.run(`INSERT INTO titles (titles, rowid, title, tags) VALUES ('delete', ?, ?, ?)`, seq, title, tags.join(' '));
}
