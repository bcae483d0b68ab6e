/**
 * Takes secrets out of text and byte streams before they are shown or recorded. A secret is found as it is and as tools
 * print it: base64, hex, URL-encoded, escaped for JSON. Overlapping finds become one `[redacted]`; at one place the
 * longest form wins. All other bytes pass unchanged. Not found: a secret cut in pieces, compressed, or encrypted.
 */
import { Transform } from 'node:stream';

const mark = Buffer.from('[redacted]');
/** Encoded forms of shorter values would be found everywhere. */
const leastEncoded = 4;

export interface Redactor {
  text(s: string): string;
  /** A stream of bytes that holds back only what may be the beginning of a secret. */
  stream(): Transform;
}

export function redactor(values: readonly string[]): Redactor {
  const index = indexForms(values.flatMap(formsOf));
  return {
    // A lone surrogate has no UTF-8; no secret spans one, so the stretches between them are searched.
    text: (s) => s.replace(/\P{Surrogate}+/gu, (stretch) => redactAll(index, stretch)),
    stream() {
      const search = searcher(index);
      return new Transform({
        transform(chunk: Buffer, _encoding, done) {
          for (const piece of search(chunk, false)) this.push(piece);
          done();
        },
        flush(done) {
          for (const piece of search(Buffer.alloc(0), true)) this.push(piece);
          done();
        },
      });
    },
  };
}

function redactAll(index: Index, text: string): string {
  const bytes = Buffer.from(text);
  const pieces = searcher(index)(bytes, true);
  return pieces.includes(mark) ? Buffer.concat(pieces).toString() : text;
}

/** Forms by their first byte, the longest first. */
type Index = readonly (readonly Buffer[] | undefined)[];

function indexForms(forms: readonly string[]): Index {
  const index: Buffer[][] = [];
  for (const form of new Set(forms)) {
    const bytes = Buffer.from(form);
    const first = bytes[0];
    if (first === undefined) continue;
    index[first] = [...(index[first] ?? []), bytes];
  }
  for (const bucket of index) bucket?.sort((a, b) => b.length - a.length);
  return index;
}

/** A function that takes the next bytes and gives back what can be let out by now. */
function searcher(index: Index): (chunk: Buffer, last: boolean) => Buffer[] {
  let held: Buffer = Buffer.alloc(0);
  /** How far into `held` a find reaches that has been marked already. */
  let covered = 0;

  return (chunk, last) => {
    const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    const out: Buffer[] = [];
    let at = 0;
    for (; at < bytes.length; at++) {
      const length = lengthAt(index, bytes, at, last);
      if (length === undefined) break;
      if (length === 0) continue;
      if (at > covered) out.push(bytes.subarray(covered, at));
      if (at >= covered) out.push(mark);
      covered = Math.max(covered, at + length);
    }
    if (at > covered) out.push(bytes.subarray(covered, at));
    // A copy, because the caller may use the chunk's memory again.
    held = Buffer.from(bytes.subarray(at));
    covered = Math.max(covered - at, 0);
    return out;
  };
}

/** Length of the longest form at `at`, 0 for none; undefined when more bytes could make a longer one. */
function lengthAt(index: Index, bytes: Buffer, at: number, last: boolean): number | undefined {
  const bucket = index[bytes[at] ?? 0];
  if (!bucket) return 0;
  const left = bytes.length - at;
  for (const form of bucket) {
    const there = Math.min(form.length, left);
    // The second byte settles nearly every case without a call.
    if (there > 1 && form[1] !== bytes[at + 1]) continue;
    if (last && there < form.length) continue;
    if (bytes.compare(form, 0, there, at, at + there) !== 0) continue;
    return there < form.length ? undefined : form.length;
  }
  return 0;
}

function formsOf(value: string): string[] {
  const plain = value.toWellFormed();
  if (plain.length < leastEncoded) return [plain];
  const bytes = Buffer.from(plain);
  const hex = bytes.toString('hex');
  const url = encodeURIComponent(plain);
  const form = new URLSearchParams([['', plain]]).toString().slice(1);
  const json = JSON.stringify(plain).slice(1, -1);
  return [
    plain,
    // A terminal turns line ends into these.
    plain.replace(/\r?\n/g, '\r\n'),
    hex,
    hex.toUpperCase(),
    ...[url, form].flatMap((text) => [text, text.replace(/%../g, (code) => code.toLowerCase())]),
    // As JavaScript, Go, Python and PHP write it.
    json,
    escapeCodeUnits(json, /[<>&\u2028\u2029]/g),
    escapeCodeUnits(json, /[^\x20-\x7e]/g),
    escapeCodeUnits(json, /[^\x20-\x7e]/g).replaceAll('/', '\\/'),
    ...base64Forms(bytes),
  ];
}

function escapeCodeUnits(json: string, units: RegExp): string {
  return json.replace(units, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * The whole value in base64, and what stays the same of it inside a longer text at each of the three alignments: a
 * character at the edge also holds bits of its neighbour.
 */
function base64Forms(bytes: Buffer): string[] {
  const inside = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
  const whole = bytes.toString('base64');
  const standard = [whole, whole.replace(/=+$/, ''), ...inside];
  return standard.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}
