/**
 * Jobs and results are signed notes (C2SP), by the ledger's key of whoever made them. What is signed is a list of
 * digests, one of each that was sealed in the same turn: a signature costs more than all else here, and one that a vault
 * makes costs a round trip. The first line of the text says what it is for; no head of a ledger begins so, and no job can
 * pass for a result.
 */
import { openNote, type VerifierKey } from '../../../governance/ledger/index.ts';
import { AgovError, canonicalJson, messageOf, sha256Hex } from '../../../kernel/index.ts';
import { batching } from './batching.ts';

export interface SealKey extends VerifierKey {
  /** The signed note of `text`, which ends in a newline. @throws AgovError LEDGER_UNAVAILABLE, KEY_INVALID */
  sign(text: string): Promise<string>;
}

export type Purpose = 'job' | 'result';

/** Text of a value under a seal. @throws what the key does */
export type Seal = (value: object) => Promise<string>;

export type Opened =
  | { readonly ok: true; readonly value: unknown; readonly by: string }
  | { readonly ok: false; readonly reason: string };

/** A text is as long as its longest neighbour's list: so short that it costs less than what it saves. */
const mostInOne = 16;
const mostText = 1_000_000;
const mostNotes = 256;

const head = (purpose: Purpose): string => `agov ${purpose} 1\n`;

export function createSeal(key: SealKey, purpose: Purpose): Seal {
  return batching(mostInOne, async (values: readonly object[]) => {
    const texts = values.map((value) => canonicalJson(value));
    const note = await key.sign(`${head(purpose)}${texts.map((text) => `${sha256Hex(text)}\n`).join('')}`);
    // Canonical JSON has no line break in it.
    return texts.map((text) => `${text}\n${note}`);
  });
}

export function createOpener(trusted: readonly VerifierKey[], purpose: Purpose): (sealed: string) => Opened {
  /** Notes that were found good, by their text: each is looked at once for all that it signs. */
  const good = new Map<string, { readonly digests: ReadonlySet<string>; readonly by: string }>();

  const look = (note: string): { readonly digests: ReadonlySet<string>; readonly by: string } | string => {
    const known = good.get(note);
    if (known) return known;
    const opened = openNote(note, trusted);
    if (!opened.ok) return opened.why;
    const { text, key } = opened.value;
    if (!text.startsWith(head(purpose))) return `It is no ${purpose}’s signature.`;
    const found = { digests: new Set(text.slice(head(purpose).length, -1).split('\n')), by: nameOf(key) };
    good.set(note, found);
    const oldest = good.keys().next();
    if (good.size > mostNotes && !oldest.done) good.delete(oldest.value);
    return found;
  };

  return (sealed) => {
    const end = sealed.indexOf('\n');
    if (sealed.length > mostText || end < 0) return { ok: false, reason: 'It is not signed.' };
    const text = sealed.slice(0, end);
    const found = look(sealed.slice(end + 1));
    if (typeof found === 'string') return { ok: false, reason: found };
    if (!found.digests.has(sha256Hex(text))) return { ok: false, reason: 'The signature is of something else.' };
    try {
      return { ok: true, value: JSON.parse(text), by: found.by };
    } catch (error) {
      throw new AgovError('INTERNAL', { what: 'What was signed is no JSON.', why: messageOf(error), cause: error });
    }
  };
}

/** As both sides record it. */
export function nameOf({ name, id }: VerifierKey): string {
  return `${name}+${id}`;
}
