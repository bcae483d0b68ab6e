/**
 * What bubblewrap itself reports (`--json-status-fd`): the host's id of the sandbox's process 1, and the exit code, which
 * it writes only when the command was really executed. The command has no hold of this channel, so unlike a line on
 * stderr or the code 127 it cannot be forged from inside.
 */
import type { Readable } from 'node:stream';

export interface Status {
  /** Process 1 of the sandbox, as the host sees it; undefined when bubblewrap failed before it. */
  readonly warden: Promise<number | undefined>;
  /** The command's exit code; undefined when it was never executed, or bubblewrap itself was killed. */
  readonly exitCode: Promise<number | undefined>;
}

export function readStatus(channel: Readable): Status {
  const warden = Promise.withResolvers<number | undefined>();
  const exitCode = Promise.withResolvers<number | undefined>();
  let text = '';
  channel.setEncoding('utf8');
  channel.on('data', (chunk: string) => {
    text += chunk;
    const pid = /"child-pid": (\d+)/.exec(text)?.[1];
    if (pid !== undefined) warden.resolve(Number(pid));
  });
  // Every error of a pipe ends in close; what was not reported by then never will be.
  channel.on('error', () => undefined);
  channel.on('close', () => {
    const code = /"exit-code": (\d+)/.exec(text)?.[1];
    warden.resolve(undefined);
    exitCode.resolve(code === undefined ? undefined : Number(code));
  });
  return { warden: warden.promise, exitCode: exitCode.promise };
}

/** The first line of the relay's report, written before the command exists; undefined when there was none. */
export async function readReport(channel: Readable): Promise<string | undefined> {
  channel.setEncoding('utf8');
  let text = '';
  for await (const chunk of channel) {
    text += chunk;
    if (text.includes('\n') || text.length > 100) break;
  }
  return text === '' ? undefined : text.split('\n')[0];
}
