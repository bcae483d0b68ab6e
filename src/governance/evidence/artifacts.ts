/** Content addressed by SHA-256. A file here is complete or absent, and its name is its digest. */
import { createHash } from 'node:crypto';
import { access, type FileHandle, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { AgovError, type IdSource, messageOf, sha256Hex, systemCode } from '../../kernel/index.ts';
import { type ArtifactRef, sha256Schema } from '../../schemas/index.ts';

export interface ArtifactWriter {
  /** Takes any number of bytes; those past the limit are counted and dropped. */
  readonly stream: Writable;
  /** Call once the stream has finished: puts the content in place and names it. Undefined when nothing was written. */
  commit(name: string): Promise<StoredArtifact | undefined>;
}

export interface StoredArtifact extends ArtifactRef {
  /** Bytes that came after the limit and were not kept. */
  readonly dropped: number;
}

export interface Artifacts {
  put(name: string, content: Uint8Array | string): Promise<ArtifactRef>;
  writer(limit: number): ArtifactWriter;
  /** The content, checked against its digest. @throws NOT_FOUND, LEDGER_BROKEN when the bytes have changed */
  get(sha256: string): Promise<Buffer>;
  has(sha256: string): Promise<boolean>;
}

export function fileArtifacts(dir: string, ids: IdSource): Artifacts {
  const place = (sha256: string): string => {
    const digest = sha256Schema.safeParse(sha256);
    if (!digest.success) {
      throw new AgovError('INPUT_INVALID', {
        what: `"${sha256.slice(0, 80)}" is not an artifact's digest.`,
        fix: 'Give the 64 hex digits that the ledger names.',
      });
    }
    return join(dir, digest.data.slice(0, 2), digest.data);
  };

  function writer(limit: number): ArtifactWriter {
    const incoming = join(dir, 'incoming', ids());
    const digest = createHash('sha256');
    let opened: Promise<FileHandle> | undefined;
    let size = 0;
    let dropped = 0;
    const file = (): Promise<FileHandle> => {
      opened ??= mkdir(join(dir, 'incoming'), { recursive: true, mode: 0o700 }).then(() => open(incoming, 'wx', 0o600));
      return opened;
    };
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        const kept = chunk.subarray(0, Math.max(0, limit - size));
        dropped += chunk.length - kept.length;
        size += kept.length;
        digest.update(kept);
        file()
          .then((handle) => handle.writeFile(kept))
          .then(() => done(), done);
      },
    });
    return {
      stream,
      async commit(name) {
        if (size + dropped === 0) return undefined;
        const handle = await file();
        try {
          await handle.datasync();
        } finally {
          await handle.close();
        }
        const sha256 = digest.digest('hex');
        const target = place(sha256);
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await rename(incoming, target);
        return { name, sha256, size, dropped };
      },
    };
  }

  return {
    writer,
    async put(name, content) {
      const bytes = Buffer.from(content);
      const sha256 = sha256Hex(bytes);
      const target = place(sha256);
      const incoming = join(dir, 'incoming', ids());
      await mkdir(dirname(incoming), { recursive: true, mode: 0o700 });
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(incoming, bytes, { flag: 'wx', mode: 0o600, flush: true });
      await rename(incoming, target);
      return { name, sha256, size: bytes.length };
    },
    async get(sha256) {
      const path = place(sha256);
      const content = await readFile(path).catch((error: unknown) => {
        throw systemCode(error) === 'ENOENT'
          ? new AgovError('NOT_FOUND', {
              what: `There is no artifact ${sha256}.`,
              fix: 'See "agov ledger tail --json".',
            })
          : new AgovError('LEDGER_UNAVAILABLE', { what: `Artifact ${sha256} cannot be read.`, why: messageOf(error) });
      });
      if (sha256Hex(content) !== sha256) {
        throw new AgovError('LEDGER_BROKEN', {
          what: `Artifact ${sha256} is not what was recorded.`,
          why: 'Its bytes have another digest.',
        });
      }
      return content;
    },
    has: (sha256) =>
      access(place(sha256)).then(
        () => true,
        () => false, // absent or unreadable: either way the caller cannot have it
      ),
  };
}
