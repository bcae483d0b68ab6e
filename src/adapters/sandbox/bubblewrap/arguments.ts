/** Turns the view, the environment and the rest into what bubblewrap reads from its arguments' descriptor. */
import { isWithin } from '../command.ts';
import type { Mount } from './view/mounts.ts';
import { home, searchPath } from './view/system.ts';

/** The proxy's socket and the port at which the relay offers it, inside. */
export const egress = { socket: '/opt/agov/egress.sock', relay: '/opt/agov/relay', port: 3128 } as const;

/** Where a command finds the governor's ear, the library that speaks to it, and the program for shells. */
export const agent = {
  socket: '/run/agov/socket',
  library: '/run/agov/lib',
  program: '/opt/agov/bin/agov',
} as const;

/** Hands out the descriptors of the child, in order. */
export interface Descriptors {
  /** The number inside of a new descriptor with the contents of the named file; `empty` for one without any. */
  data(name: string): number;
}

export interface View {
  /** Paths of files to be made of data. */
  readonly files: readonly string[];
  readonly mounts: readonly Mount[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly proxy: { readonly socket: string; readonly relay: string } | undefined;
  readonly door: { readonly socket: string; readonly library: string } | undefined;
  readonly descriptors: Descriptors;
}

export function viewArguments({ files, mounts, cwd, env, proxy, door, descriptors }: View): readonly string[] {
  const args: string[] = [];
  for (const path of files) args.push('--perms', '0444', '--file', String(descriptors.data(path)), path);
  for (const mount of mounts) args.push(...mountArguments(mount, descriptors));
  if (proxy !== undefined) {
    args.push('--ro-bind', proxy.socket, egress.socket, '--ro-bind', proxy.relay, relayInside(proxy.relay));
  }
  if (door !== undefined) {
    args.push('--ro-bind', door.socket, agent.socket, '--ro-bind', door.library, agent.library);
    // A project may show all of the host's /opt, where nothing can be put then.
    const covered = mounts.some(({ target }) => isWithin(agent.program, target));
    if (!covered) args.push('--perms', '0555', '--file', String(descriptors.data('agov')), agent.program);
  }
  for (const [name, value] of Object.entries({ ...environment(proxy !== undefined), ...env, ...ownSocket(door) })) {
    args.push('--setenv', name, value);
  }
  args.push('--seccomp', String(descriptors.data('seccomp')), '--chdir', cwd);
  return args;
}

function ownSocket(door: View['door']): Readonly<Record<string, string>> {
  return door === undefined ? {} : { AGOV_SOCKET: agent.socket };
}

/** Where the relay's source shows inside; the extension says module whatever lies around it. */
export function relayInside(source: string): string {
  return egress.relay + (source.endsWith('.ts') ? '.mts' : '.mjs');
}

function mountArguments(mount: Mount, descriptors: Descriptors): readonly string[] {
  switch (mount.kind) {
    case 'read-only':
      return ['--ro-bind', mount.source, mount.target];
    case 'read-write':
      return ['--bind', mount.source, mount.target];
    case 'empty-folder':
      return ['--perms', '0555', '--tmpfs', mount.target, '--remount-ro', mount.target];
    case 'empty-file':
      return ['--perms', '0444', '--ro-bind-data', String(descriptors.data('empty')), mount.target];
  }
}

function environment(proxy: boolean): Readonly<Record<string, string>> {
  const base = { PATH: searchPath, HOME: home, TMPDIR: '/tmp', LANG: 'C.UTF-8' };
  if (!proxy) return base;
  const url = `http://127.0.0.1:${egress.port}`;
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
  const local = { NO_PROXY: 'localhost,127.0.0.1,::1', no_proxy: 'localhost,127.0.0.1,::1' };
  return { ...base, ...Object.fromEntries(names.map((name) => [name, url])), ...local, NODE_USE_ENV_PROXY: '1' };
}
