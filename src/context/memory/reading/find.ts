/** Which entry is meant: by its id, the beginning of it, or its end. */
import { z } from 'zod';
import { AgovError, isoTime } from '../../../kernel/index.ts';
import { backwards, type Database, type StoredEntry, selectEntries, spaceIds } from '../store/index.ts';

const mostTold = 10;

const tombstoneRow = z.object({ id: z.string(), at: z.int(), by: z.string(), reason: z.string() });

/** Only in these spaces: what lies elsewhere is not there. @throws NOT_FOUND, INPUT_INVALID, CONFLICT with all that match */
export function findEntry(db: Database, spaces: readonly string[], asked: string): StoredEntry {
  const id = asked.toLowerCase();
  if (!/^[0-9a-f-]{4,36}$/.test(id)) {
    throw new AgovError('INPUT_INVALID', {
      what: `"${asked.slice(0, 80)}" is not the id of an entry.`,
      fix: 'Give the id that "agov memory list" shows, or at least four characters of its beginning or its end.',
    });
  }
  const here = JSON.stringify(spaceIds(db, spaces));
  const inSpaces = 'e.space IN (SELECT value FROM json_each(?))';
  const found = (column: string, text: string): StoredEntry[] =>
    // Every id that begins with the text lies between it and the text with the highest character after it.
    selectEntries(
      db,
      `WHERE ${column} >= ? AND ${column} < ? AND ${inSpaces} LIMIT ?`,
      ...[text, `${text}~`, here, mostTold + 1],
    );
  const matches = new Map([...found('e.id', id), ...found('e.backwards', backwards(id))].map((one) => [one.seq, one]));
  const [first, second] = [...matches.values()];
  if (first && !second) return first;
  if (first) throw ambiguous(asked, [...matches.values()]);
  throw missing(db, asked, id, here);
}

function ambiguous(asked: string, found: readonly StoredEntry[]): AgovError {
  const told = found.slice(0, mostTold).map(({ entry: { id, at, title } }) => ({ id, at, title }));
  return new AgovError('CONFLICT', {
    what: `"${asked}" is part of several ids.`,
    why: `They are ${told.map(({ id, title }) => `${id} (${title.slice(0, 40)})`).join(', ')}${found.length > mostTold ? ' and more' : ''}.`,
    fix: 'Give more of the one you mean.',
    details: { matches: told },
  });
}

/** One that was forgotten says so. */
function missing(db: Database, asked: string, id: string, here: string): AgovError {
  const gone = db.one(
    tombstoneRow,
    `SELECT id, at, by, reason FROM tombstones
     WHERE ((id >= ? AND id < ?) OR (backwards >= ? AND backwards < ?)) AND space IN (SELECT value FROM json_each(?)) LIMIT 1`,
    ...[id, `${id}~`, backwards(id), `${backwards(id)}~`, here],
  );
  if (gone) {
    return new AgovError('NOT_FOUND', {
      what: `Entry ${gone.id} was forgotten on ${isoTime(gone.at)}.`,
      why: `By ${gone.by}: ${gone.reason}`,
      details: { forgotten: true, ...gone },
    });
  }
  return new AgovError('NOT_FOUND', { what: `There is no entry "${asked}" here.`, fix: 'See "agov memory list".' });
}
