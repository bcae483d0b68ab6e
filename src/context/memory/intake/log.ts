/**
 * Takes a stream of any length into memory: secrets out, cut, compressed, indexed, and at the end an entry. The entry is
 * there when all of it is; whatever happens before leaves the memory as it was.
 */
import { createHash } from 'node:crypto';
import { redactText, type SecretFind, secretScanner } from '../../../governance/redaction/index.ts';
import { AgovError, type Env, type IdSource, isoTime } from '../../../kernel/index.ts';
import { addTitle, backwards, type Database, type MemoryEntry, makeSpace, selectEntries } from '../store/index.ts';
import { type Block, blocksOf } from './blocks.ts';
import type { Kind } from './kind.ts';
import { stageContent } from './staging.ts';

/** Who logs, as the channel told; never what came over it. */
export interface Author {
  readonly agent?: string;
  readonly operator?: string;
  readonly run?: string;
}

export interface LogOptions {
  readonly title?: string;
  readonly tags?: readonly string[];
  /** Told from the content where it is left out. */
  readonly kind?: Kind;
  /** Until a gc may take it. */
  readonly ttlMs?: number;
  readonly onSecret?: 'redact' | 'refuse';
  readonly signal?: AbortSignal;
  /** Bytes so far. */
  readonly onProgress?: (bytes: number) => void;
}

export interface IntakeParts {
  readonly db: Database;
  readonly env: Env;
  readonly ids: IdSource;
}

/** @throws INPUT_INVALID, SECRET_FOUND, DISK_FULL, MEMORY_UNAVAILABLE, MEMORY_CORRUPT, the signal's reason */
export async function takeIn(
  { db, env, ids }: IntakeParts,
  space: string,
  author: Author,
  source: AsyncIterable<Uint8Array>,
  options: LogOptions,
): Promise<MemoryEntry> {
  const { tags = [], signal, onProgress } = options;
  const title = redactText(options.title ?? '').slice(0, 200);
  const redacted = new Map<string, number>();
  const onFind = ({ rule, offset }: SecretFind): void => {
    if (options.onSecret === 'refuse') throw secretFound(rule, offset);
    redacted.set(rule, (redacted.get(rule) ?? 0) + 1);
  };
  const staging = stageContent(db);
  const digest = createHash('sha256');
  let first: Block | undefined;
  let bytes = 0;
  try {
    const blocks = blocksOf(withoutSecrets(source, onFind, signal), title, options.kind);
    let step = await blocks.next();
    for (; !step.done; step = await blocks.next()) {
      const block = step.value;
      first ??= block;
      digest.update(block.bytes);
      bytes += block.bytes.length;
      staging.add(block);
      onProgress?.(bytes);
    }
    if (bytes === 0) throw nothingToLog();
    const { kind, lines } = step.value;
    const id = ids();
    const named = title === '' ? titleOf(first) : title;
    const at = env.now();
    staging.finish({ kind, lines, bytes, sha256: digest.digest() }, (content) => {
      const { id: seq } = db.run(
        `INSERT INTO entries (id, backwards, space, content, title, at, expires_at, by_agent, by_operator, run, redacted)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[id, backwards(id), makeSpace(db, space), content, named, at],
        options.ttlMs === undefined ? null : at + options.ttlMs,
        ...[author.agent ?? null, author.operator ?? null, author.run ?? null],
        JSON.stringify(Object.fromEntries(redacted)),
      );
      for (const tag of new Set(tags)) db.run('INSERT INTO tags (tag, entry) VALUES (?, ?)', tag, seq);
      addTitle(db, seq, named, [...new Set(tags)].sort());
    });
    const [stored] = selectEntries(db, 'WHERE e.id = ?', id);
    if (!stored)
      throw new AgovError('INTERNAL', { what: `Entry ${id} was logged at ${isoTime(at)} and is not there.` });
    return stored.entry;
  } catch (error) {
    try {
      staging.abandon();
    } catch {
      // A full disk takes no mark either. What was staged has a dead writer soon, and gc takes it by that.
    }
    throw error;
  }
}

async function* withoutSecrets(
  source: AsyncIterable<Uint8Array>,
  onFind: (find: SecretFind) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const scanner = secretScanner(onFind);
  for await (const chunk of source) {
    signal?.throwIfAborted();
    yield* scanner.push(chunk);
  }
  yield* scanner.push(new Uint8Array(), true);
}

/** The first line that says something, without the marks of a heading. */
function titleOf(first: Block | undefined): string {
  const part = first?.parts[0];
  if (!part?.text) return 'binary content';
  const line =
    part.bytes
      .toString('utf8', 0, 4000)
      .split('\n')
      .find((one) => /[\p{L}\p{N}]/u.test(one)) ?? 'untitled';
  return (
    line
      .replace(/^[#\s/*>-]+/, '')
      .trim()
      .slice(0, 100) || 'untitled'
  );
}

function secretFound(rule: string, offset: number): AgovError {
  return new AgovError('SECRET_FOUND', {
    what: 'Nothing was logged: the content holds what looks like a secret.',
    why: `The rule "${rule}" matches at byte ${offset}.`,
    fix: 'Take it out, or log with --on-secret redact.',
    details: { rule, offset },
  });
}

function nothingToLog(): AgovError {
  return new AgovError('INPUT_INVALID', {
    what: 'There is nothing to log: the input is empty.',
    fix: 'Name a file, or pipe something in: make test 2>&1 | agov memory log',
  });
}
