/**
 * A checkpoint as a file: one line of canonical JSON a part, each with the digest of its value, and a last one with the
 * digest of all before it. What is damaged costs the lines that it is in.
 */
import { z } from 'zod';
import { AgovError, canonicalHash, canonicalJson, isoTime, messageOf, sha256Hex } from '../../../kernel/index.ts';
import { sha256Schema } from '../../../schemas/index.ts';
import {
  type About,
  aboutSchema,
  type Checkpoint,
  type Part,
  type PartName,
  type Parts,
  partNames,
  partSchemas,
} from './parts.ts';

export interface Damage {
  /** `record`: the file is whole, and not what the ledger has of it. */
  readonly part: PartName | 'about' | 'end' | 'record';
  readonly why: string;
}

export interface Read {
  readonly checkpoint: Checkpoint;
  readonly damage: readonly Damage[];
  /** Of the whole file. */
  readonly sha256: string;
}

export function encodeCheckpoint({ about, parts }: Checkpoint): string {
  const line = (part: string, value: unknown): string =>
    `${canonicalJson({ part, sha256: canonicalHash(value), value })}\n`;
  const body = line('about', about) + partNames.map((name) => line(name, parts[name])).join('');
  return `${body}${canonicalJson({ part: 'end', sha256: sha256Hex(body) })}\n`;
}

/** One line, for those who read and write these files with programs of their own. */
export const checkpointLineSchema = z.union([
  z.strictObject({ part: z.literal('about'), sha256: sha256Schema, value: aboutSchema }),
  ...partNames.map((part) => z.strictObject({ part: z.literal(part), sha256: sha256Schema, value: valueSchema(part) })),
  z.strictObject({ part: z.literal('end'), sha256: sha256Schema }),
]);

const lineSchema = z.strictObject({ part: z.string(), sha256: sha256Schema, value: z.unknown() });

/** @throws INPUT_INVALID where not even what it is can be read */
export function decodeCheckpoint(bytes: Uint8Array, named: Named): Read {
  // What is no UTF-8 must cost the line that it is in, and no other.
  const text = new TextDecoder().decode(bytes);
  const damage: Damage[] = [];
  const lines = new Map<string, unknown>();
  const broken: string[] = [];
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const read = readLine(line);
    if ('why' in read) broken.push(/^\{"part":"([a-z]+)"/.exec(line)?.[1] ?? '');
    else lines.set(read.part, read.value);
  }
  const about = aboutSchema.safeParse(lines.get('about'));
  if (!about.success) damage.push({ part: 'about', why: 'Its first line is damaged: whose it is nobody knows.' });
  const whole = endOf(text);
  const parts = Object.fromEntries(
    partNames.map((part) => {
      const value = readPart(part, lines.get(part));
      if (value) return [part, value];
      const why = broken.includes(part) ? 'Its bytes have another digest.' : 'It is missing.';
      damage.push({ part, why });
      return [part, { ok: false, why: `The checkpoint is damaged here. ${why}` }];
    }),
  ) as unknown as Parts; // one by one as their schemas say
  if (!about.success && damage.length > partNames.length) throw unreadable(named.id, 'No line of it is whole.');
  if (!whole && damage.length === 0) damage.push({ part: 'end', why: 'The file has another digest.' });
  return {
    checkpoint: { about: about.success ? about.data : aboutOf(named), parts },
    damage,
    sha256: sha256Hex(bytes),
  };
}

/** What the name of a file tells of it. */
export interface Named {
  readonly id: string;
  readonly seq: number;
}

function aboutOf({ id, seq }: Named): About {
  // The first 48 bits of a UUIDv7 are milliseconds since the epoch.
  const at = isoTime(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
  return { v: 1, id, seq, at, space: 'unknown', by: { operator: 'unknown' }, cause: 'asked' };
}

/** The first line alone. Undefined where it is damaged. */
export function decodeAbout(line: string): About | undefined {
  const read = readLine(line);
  const about = 'why' in read || read.part !== 'about' ? undefined : aboutSchema.safeParse(read.value);
  return about?.success ? about.data : undefined;
}

function readLine(line: string): { part: string; value: unknown } | { why: string } {
  try {
    const parsed = lineSchema.parse(JSON.parse(line));
    if (canonicalHash(parsed.value) !== parsed.sha256) return { why: 'digest' };
    return { part: parsed.part, value: parsed.value };
  } catch (error) {
    return { why: messageOf(error) };
  }
}

function readPart(part: PartName, value: unknown): Part<unknown> | undefined {
  const read = valueSchema(part).safeParse(value);
  return read.success ? (read.data as Part<unknown>) : undefined;
}

function valueSchema(part: PartName): z.ZodType {
  return z.discriminatedUnion('ok', [
    z.strictObject({ ok: z.literal(true), value: partSchemas[part] }),
    z.strictObject({ ok: z.literal(false), why: z.string() }),
  ]);
}

function endOf(text: string): boolean {
  const at = text.lastIndexOf('{"part":"end"');
  return at >= 0 && text.slice(at) === `${canonicalJson({ part: 'end', sha256: sha256Hex(text.slice(0, at)) })}\n`;
}

export function unreadable(name: string, why: string): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: `The checkpoint ${name} cannot be read.`,
    why,
    fix: 'Load another one: agov checkpoint timeline',
  });
}
