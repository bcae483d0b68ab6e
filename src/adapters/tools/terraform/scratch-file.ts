/** Files that pass between the governor and a sandbox. What a sandbox could write is read without following links. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AgovError } from '../../../kernel/index.ts';

const maxBytes = 64 * 1024 * 1024;

/** @throws TOOL_FAILED for anything but a plain file of at most 64 MiB */
export async function takeFile(path: string): Promise<Buffer> {
  // Providers run beside terraform and can write where it can: a link would make the governor read any file for them.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > maxBytes) {
      throw new AgovError('TOOL_FAILED', {
        what: 'The plan file cannot be kept.',
        why: stats.isFile() ? `It has ${stats.size} bytes; ${maxBytes} is the most.` : 'It is not a plain file.',
        fix: 'Plan fewer resources at once.',
      });
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
