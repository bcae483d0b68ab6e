/** The part of the view that is the same at every run: the system read-only, and files of our own for the rest of /etc. */
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgovError, messageOf } from '../../../../kernel/index.ts';

/** Where the governor's own Node shows inside. */
export const toolFolder = '/opt/agov/bin';
export const home = '/home/agov';
export const searchPath = `${toolFolder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

const memoryBytes = 2 * 1024 ** 3;

/** Of the host's /etc, nothing that holds a secret or tells one host from another. */
const etcFolders = ['/etc/alternatives', '/etc/pki/ca-trust/extracted', '/etc/pki/tls/certs', '/etc/ssl/certs'];
/** Small enough to copy, which costs less than a mount. */
const etcFiles = ['/etc/ld.so.cache', '/etc/localtime', '/etc/ssl/openssl.cnf'];

/** The files of /etc inside, by path. */
export function systemFiles(): Readonly<Record<string, string | Uint8Array>> {
  const copied = etcFiles.filter((path) => existsSync(path)).map((path) => [path, readFileSync(path)] as const);
  return {
    ...Object.fromEntries(copied),
    '/etc/passwd': `agov:x:1000:1000::${home}:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n`,
    '/etc/group': 'agov:x:1000:\nnogroup:x:65534:\n',
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
    '/etc/hosts': '127.0.0.1 localhost agov\n::1 localhost\n',
  };
}

/** Flags and mounts before those of the project. */
export function systemArguments(node: string): readonly string[] {
  return [
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--uid', '1000', '--gid', '1000'],
    ...['--cap-drop', 'ALL', '--new-session', '--die-with-parent', '--clearenv', '--hostname', 'agov'],
    ...['--ro-bind', '/usr', '/usr'],
    ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap(asOnHost),
    ...etcFolders.filter((path) => existsSync(path)).flatMap((path) => ['--ro-bind', path, path]),
    // Read-only, since a governor that is root would otherwise lend its user's right to write /proc/sys, with which
    // core_pattern runs a program on the host; and /proc/1/mem, with which the sandbox's own warden could be rewritten.
    ...['--proc', '/proc', '--remount-ro', '/proc', '--dev', '/dev'],
    ...['--size', String(memoryBytes), '--perms', '1777', '--tmpfs', '/tmp'],
    ...['--size', String(memoryBytes), '--perms', '0700', '--tmpfs', home],
    ...['--ro-bind', node, `${toolFolder}/node`],
  ];
}

function asOnHost(path: string): readonly string[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  return stats.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

/**
 * Holds `contents` in a file that has no name any more, and gives a fresh descriptor at its beginning at each call: the
 * reader at the other end reads to the end and moves the offset.
 */
export function namelessFile(contents: string | Uint8Array): () => number {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'agov-sandbox-'));
    const path = join(folder, 'data');
    writeFileSync(path, contents, { mode: 0o600 });
    const held = openSync(path, 'r');
    rmSync(folder, { recursive: true });
    return () => openSync(`/proc/self/fd/${held}`, 'r');
  } catch (error) {
    throw new AgovError('NOT_WRITABLE', {
      what: `No temporary file can be made in ${tmpdir()}.`,
      why: messageOf(error),
      fix: 'Free space there, or set TMPDIR to a folder that this user can write.',
      cause: error,
    });
  }
}

export function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
