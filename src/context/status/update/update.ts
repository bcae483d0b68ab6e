/**
 * One change of one status: read, merged, put in place, in a turn of its own. What somebody saves meanwhile is merged into,
 * again and again, since a change says what is to be so and not what the file is to be.
 */
import { basename } from 'node:path';
import { AgovError, type Env, type IdSource, isoTime } from '../../../kernel/index.ts';
import { applyChange, type Change, statusFile } from '../format/index.ts';
import { openPlace, type Place } from './place.ts';
import { type Held, hold, removeDrafts, replace } from './replace.ts';
import type { Turns } from './turn.ts';

export interface UpdateParts {
  readonly env: Env;
  readonly ids: IdSource;
  readonly turns: Turns;
  /** What happens around the write: an agent's intent. It calls `write` once, or throws. */
  readonly within?: (write: () => void, about: About) => Promise<void>;
}

export interface About {
  /** The file, from the root. */
  readonly file: string;
  readonly content: Buffer;
}

export interface Wanted extends Omit<Change, 'note' | 'updated'> {
  readonly note?: string;
  /** Who says so. */
  readonly by: string;
}

export interface Updated {
  /** The directory, from the root. */
  readonly path: string;
  readonly text: string;
  readonly changed: boolean;
}

const maxTries = 20;
const pauseMs = 20;

/** `root` is a real path and `directory` an absolute one. @throws NOT_FOUND, WORKSPACE_INVALID, STATUS_INVALID, STATUS_BUSY */
export function update(parts: UpdateParts, root: string, directory: string, wanted: Wanted): Promise<Updated> {
  return parts.turns.take(async () => {
    using place = openPlace(root, directory);
    removeDrafts(place);
    const at = `${isoTime(parts.env.now()).slice(0, 19)}Z`;
    const { note, by, ...change } = wanted;
    const whole: Change = { ...change, updated: at, ...(note === undefined ? {} : { note: { text: note, by, at } }) };
    return await merge(parts, root, place, whole);
  });
}

async function merge(parts: UpdateParts, root: string, place: Place, change: Change): Promise<Updated> {
  const about = {
    name: basename(place.path || root),
    file: place.path === '' ? statusFile : `${place.path}/${statusFile}`,
  };
  // What was saved into a file that ours has taken the place of.
  let overtaken: Buffer | undefined;
  for (let tries = 0; tries < maxTries; tries++) {
    using held = await settled(parts.env, place);
    const from = textOf(overtaken ?? held.bytes, about.file);
    const text = applyChange(from, change, about);
    const content = Buffer.from(text);
    if (held.bytes?.equals(content)) return { path: place.path, text, changed: false };
    let done: ReturnType<typeof replace> = 'changed';
    const write = (): void => {
      done = replace(place, held.bytes, content, parts.ids());
      if (done === 'changed')
        throw new AgovError('CONFLICT', { what: `${about.file} was saved by somebody else just now.` });
    };
    try {
      await (parts.within ?? plainly)(write, { file: about.file, content });
    } catch (error) {
      if (done === 'changed' && error instanceof AgovError && error.code === 'CONFLICT') continue;
      throw error;
    }
    const late = held.again();
    if (late === undefined || held.bytes === undefined || late.equals(held.bytes)) {
      return { path: place.path, text, changed: true };
    }
    overtaken = late;
  }
  throw new AgovError('STATUS_BUSY', {
    what: `${about.file} was saved by somebody else ${maxTries} times while it was being changed.`,
    fix: 'Try again when it is quiet.',
  });
}

const plainly = async (write: () => void): Promise<void> => write();

/** An editor that writes into the file empties it first: a moment later its text is there. */
async function settled(env: Env, place: Place): Promise<Held> {
  for (let tries = 0; ; tries++) {
    const held = hold(place);
    if (held.bytes === undefined || held.bytes.length > 0 || tries >= 10) return held;
    held[Symbol.dispose]();
    await env.sleep(pauseMs);
  }
}

function textOf(bytes: Buffer | undefined, file: string): string {
  if (bytes === undefined) return '';
  try {
    if (bytes.includes(0)) throw new TypeError('a NUL byte');
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new AgovError('STATUS_INVALID', {
      what: `${file} is not text in UTF-8.`,
      fix: 'Save it as UTF-8; until then it is left as it is.',
      cause: error,
    });
  }
}
