/**
 * An invitation on its way to another host: a new file of mode 0600 outside the project. Never standard output, which is
 * logged, nor an argument, which every user of the machine sees.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { Invitation } from '../../adapters/authority/port.ts';
import { AgovError, messageOf, Secret, systemCode } from '../../kernel/index.ts';
import { nameSchema } from '../../schemas/index.ts';

const fileSchema = z.strictObject({
  version: z.literal(1),
  agent: nameSchema,
  id: z.string().regex(/^[0-9a-f-]{36}$/),
  token: z.string().regex(/^[\x21-\x7e]{1,512}$/),
  expiresAt: z.int().min(0),
});

const maxBytes = 4096;

export interface InvitationFile extends Disposable {
  write(agent: string, invitation: Invitation): void;
}

/**
 * The file, made empty, so that nothing is minted that could not be handed over. Disposed of without a word in it, it is
 * gone again. @throws INPUT_INVALID for a place in the project, CONFLICT where something is there, NOT_WRITABLE
 */
export function reserveInvitation(file: string, projectRoot: string): InvitationFile {
  const path = outside(file, projectRoot);
  const fd = created(path);
  let written = false;
  return {
    write(agent, { token, expiresAt, id = '' }) {
      const text: FileText = { version: 1, agent, id, token: token.reveal(), expiresAt };
      writeFileSync(fd, `${JSON.stringify(text)}\n`, { flush: true });
      written = true;
    },
    [Symbol.dispose]() {
      closeSync(fd);
      if (!written) rmSync(path, { force: true });
    },
  };
}

function created(path: string): number {
  try {
    // 'wx' follows no link.
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      throw new AgovError('CONFLICT', { what: `${path} is there already.`, fix: 'Name a new file.' });
    }
    throw new AgovError('NOT_WRITABLE', {
      what: `The invitation cannot be written to ${path}.`,
      why: messageOf(error),
      fix: 'Name a file in a folder that is yours.',
    });
  }
}

/** Its real path. @throws INPUT_INVALID, NOT_WRITABLE */
function outside(file: string, projectRoot: string): string {
  const asked = resolve(file);
  let folder: string;
  try {
    folder = realpathSync(dirname(asked));
  } catch (error) {
    const fix = 'Make the folder first, for you alone: mkdir -m 700 …';
    throw new AgovError('NOT_WRITABLE', { what: `There is no folder for ${file}.`, why: messageOf(error), fix });
  }
  const path = join(folder, basename(asked));
  if (`${path}${sep}`.startsWith(`${projectRoot}${sep}`)) {
    throw new AgovError('INPUT_INVALID', {
      what: `${file} lies in the project.`,
      why: 'Agents read what is there, and an invitation lets in whoever reads it first.',
      fix: 'Name a file elsewhere.',
    });
  }
  return path;
}

/** @throws INVITATION_INVALID for a file that holds none, or another agent's */
export function readInvitation(file: string, agent: string, projectRoot: string): Invitation {
  const parsed = fileSchema.safeParse(jsonOf(readPrivate(outside(file, projectRoot))));
  if (!parsed.success) throw invalid(`${file} holds no invitation.`, `Make one: agov agent invite ${agent} --out FILE`);
  const { agent: invited, token, ...rest } = parsed.data;
  if (invited === agent) return { ...rest, token: new Secret(token) };
  throw invalid(`${file} invites "${invited}", not "${agent}".`, `Use it with --agent ${invited}, or make another.`);
}

type FileText = z.infer<typeof fileSchema>;

function readPrivate(path: string): string {
  try {
    // O_NONBLOCK: a pipe at that place must not make us wait. O_NOFOLLOW: nor a link lead us elsewhere.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size > maxBytes) throw invalid(`${path} is no invitation.`, 'Name the right file.');
      if ((stat.mode & 0o077) !== 0) {
        throw new AgovError('KEY_INVALID', {
          what: `${path} is open to other users.`,
          why: 'Somebody else may have used it, or will.',
          fix: 'Make a new invitation, and keep it at mode 0600.',
        });
      }
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof AgovError) throw error;
    throw invalid(`The invitation ${path} cannot be read: ${systemCode(error) ?? 'no code'}.`, 'Check the path.');
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // V8 quotes the text in its message, and the text holds a token: that it is no JSON is all that is kept.
    return undefined;
  }
}

function invalid(what: string, fix: string): AgovError {
  return new AgovError('INVITATION_INVALID', { what, fix, details: { reason: 'file' } });
}
