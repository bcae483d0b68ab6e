/** The command's output on its way to the caller. */
import { PassThrough, type Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';

/**
 * A stream that keeps what nobody has read yet: Node throws a child's unread output away when the child ends, and a
 * caller may have something to record before it attaches.
 */
export function keepUnread(source: Readable): Readable {
  return forward(source, new PassThrough());
}

export interface Complaints {
  readonly stream: Readable;
  /** The first 4,096 characters. */
  text(): string;
}

/**
 * Holds back output that begins with one of `prefixes` until it is known whether the command began: if it did not, the
 * words are the sandbox's own, and become an error instead of output.
 */
export function holdComplaints(source: Readable, prefixes: readonly string[], began: Promise<boolean>): Complaints {
  const limit = 4096;
  let held: Buffer[] | undefined = [];
  let seen = '';
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (held === undefined) {
        done(null, chunk);
        return;
      }
      held.push(chunk);
      seen = (seen + chunk.toString('latin1')).slice(0, limit);
      if (seen.length < limit && prefixes.some((prefix) => seen.startsWith(prefix) || prefix.startsWith(seen))) {
        done();
        return;
      }
      const all = Buffer.concat(held);
      held = undefined;
      done(null, all);
    },
    flush(done) {
      began.then((didBegin) => done(null, didBegin && held !== undefined ? Buffer.concat(held) : undefined), done);
    },
  });
  return { stream: forward(source, stream), text: () => seen };
}

/** Resolves when `stream` will give nothing more, whether it ended or was destroyed. */
export async function ended(stream: Readable): Promise<void> {
  try {
    await finished(stream, { writable: false });
  } catch {
    // A caller may destroy the stream that it has had enough of.
  }
}

function forward<S extends Transform>(source: Readable, target: S): S {
  source.on('error', (error) => target.destroy(error));
  // When the caller lets go of it the command must feel a closed pipe, not a full one.
  target.on('close', () => source.destroy());
  return source.pipe(target);
}
