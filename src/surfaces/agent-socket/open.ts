/**
 * One socket for one running intent. It *is* the agent's identity: whoever reaches it speaks as that agent, and nothing
 * that is sent over it can change who that is. It costs a file and a listener until somebody connects; what answers is
 * loaded then.
 */
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmdirSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, SocketOpener } from '../../app/index.ts';
import { isInside } from '../../governance/governor/index.ts';
import { AgovError, messageOf } from '../../kernel/index.ts';
import type { Attendant } from './attend.ts';

const mostConnections = 64;
/** What was asked for ends when its asker does; a tool that is looking may take a moment. */
const drainMs = 5000;

export const openAgentSocket: SocketOpener = async (app, seat, more) => {
  // mkdtemp makes the folder 0700: no other user reaches the socket. Other sandboxes do not show the folder.
  const folder = mkdtempSync(join(shelter(app), 'agov-agent-'));
  const path = join(folder, 'socket');
  const open = new Set<Socket>();
  const closing = new AbortController();
  let attendant: Promise<Attendant> | undefined;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    attendant ??= import('./attend.ts').then(({ attend }) => attend(app, seat, more, closing.signal));
    attendant.then(
      ({ take }) => take(socket),
      () => socket.destroy(),
    );
  });
  server.maxConnections = mostConnections;
  const remove = (): void => {
    // The listener removes the socket itself; whoever has cleaned up before us has done what was to do.
    rmSync(path, { force: true });
    if (existsSync(folder)) rmdirSync(folder);
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      remove();
      reject(cannot(path, error));
    });
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    path,
    async [Symbol.asyncDispose]() {
      if (closing.signal.aborted) return;
      closing.abort(new Error('The process that asked has ended.'));
      server.close();
      for (const socket of open) socket.destroy();
      remove();
      if (attendant === undefined) return;
      const over = new AbortController();
      const ended = attendant.then((made) => made[Symbol.asyncDispose]()).catch(() => undefined);
      // What hangs is left behind: its intent stays open, and is settled as unknown.
      await Promise.race([ended, app.env.sleep(drainMs, over.signal).catch(() => undefined)]);
      over.abort();
    },
  };
};

/** A folder that no sandbox shows: where the temporary one lies in the project, agents see it, but never `.agov`. */
function shelter({ project, config }: App): string {
  const temporary = realpathSync(tmpdir());
  const shown = [project.root, ...config.readOnly];
  return shown.some((folder) => isInside(temporary, folder)) ? project.data : temporary;
}

function cannot(path: string, error: unknown): AgovError {
  return new AgovError('NOT_WRITABLE', {
    what: `The agent’s socket ${path} cannot be opened.`,
    why: messageOf(error),
    fix: 'Set TMPDIR to a folder with a short path that this user can write.',
    cause: error,
  });
}
