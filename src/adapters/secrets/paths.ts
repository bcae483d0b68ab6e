/** Secret paths and the other inputs, refused before they reach any store. */
import { AgovError, type Secret } from '../../kernel/index.ts';

const segmentPattern = /^[a-z0-9_.-]{1,64}$/;
const maxSegments = 8;
const maxValueBytes = 65_536;
const maxTtlMs = 365 * 86_400_000;
const maxIntentLength = 512;

/** `path`, if it is 1 to 8 segments of a-z 0-9 _ . - between single slashes. */
export function checkedPath(path: string): string {
  const why = pathFault(path);
  if (why === undefined) return path;
  throw new AgovError('SECRET_PATH_INVALID', {
    what: 'A secret path is malformed.',
    why,
    fix: `Write 1 to ${maxSegments} segments of a-z 0-9 _ . - with single slashes between, such as dev/db/password.`,
  });
}

export function isSecretPath(path: string): boolean {
  return pathFault(path) === undefined;
}

/** The path itself is not quoted: people paste values where a path belongs. */
function pathFault(path: string): string | undefined {
  const segments = path.split('/');
  if (path === '') return 'It is empty.';
  if (segments.includes('')) return 'It begins or ends with a slash, or has two in a row.';
  if (segments.length > maxSegments) return `It has ${segments.length} segments.`;
  if (segments.includes('.') || segments.includes('..')) return 'A segment is "." or "..".';
  const bad = segments.findIndex((segment) => !segmentPattern.test(segment));
  return bad === -1 ? undefined : `Segment ${bad + 1} is too long or holds a character that is not allowed.`;
}

/** The text of `value`, if it is 1 to 65,536 bytes of UTF-8. */
export function checkedValue(value: Secret): string {
  const text = value.reveal();
  const bytes = Buffer.byteLength(text);
  if (!text.isWellFormed()) throw invalid('The secret value is not UTF-8.', 'Encode binary values in base64 first.');
  if (bytes >= 1 && bytes <= maxValueBytes) return text;
  throw invalid(`The secret value has ${bytes} bytes.`, `Give 1 to ${maxValueBytes} bytes.`);
}

export function checkedTtl(ttlMs: number): number {
  if (Number.isSafeInteger(ttlMs) && ttlMs >= 1 && ttlMs <= maxTtlMs) return ttlMs;
  throw invalid(`A lease of ${ttlMs} ms is not possible.`, `Give whole milliseconds from 1 to ${maxTtlMs}.`);
}

export function checkedIntent(intent: string): string {
  if (intent.length >= 1 && intent.length <= maxIntentLength && intent.isWellFormed()) return intent;
  throw invalid('A lease needs the id of the intent that it serves.', `Give 1 to ${maxIntentLength} characters.`);
}

function invalid(what: string, fix: string): AgovError {
  return new AgovError('INPUT_INVALID', { what, fix });
}
