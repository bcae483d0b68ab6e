/**
 * Runs inside the sandbox, in proxy mode only: listens on a loopback port of the private network, passes connections on
 * to the egress proxy's socket, runs the command and ends with its code. It guards nothing (the command could end it):
 * the way out is the socket alone, and the socket's other end decides.
 *
 * usage: node relay.mjs <port> <socket> <report descriptor> <command> [argument...]
 */
import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, statSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { constants as system } from 'node:os';
import { resolve } from 'node:path';

const [port, socketPath, report, program, ...rest] = process.argv.slice(2);
if (port === undefined || socketPath === undefined || report === undefined || program === undefined) {
  throw new Error('relay: arguments are missing');
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  const proxy = connect({ path: socketPath, allowHalfOpen: true });
  client.pipe(proxy).pipe(client);
  client.on('error', () => proxy.destroy());
  proxy.on('error', () => client.destroy());
});
server.on('error', (error) => {
  writeSync(2, `agov: the way to the network could not be opened: ${error.message}\n`);
  process.exit(69);
});
server.listen(Number(port), '127.0.0.1', () => start(program));

function start(command: string): void {
  const found = lookup(command);
  // Written and closed before the command exists, so that the command cannot write it in our place.
  writeSync(Number(report), `${found}\n`);
  closeSync(Number(report));
  if (found !== 'found') process.exit(1);
  const child = spawn(command, rest, { stdio: 'inherit' });
  child.on('error', (error) => {
    writeSync(2, `agov: ${error.message}\n`);
    process.exit(126);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : system.signals[signal])));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => child.kill(signal));
  }
}

/** As execvp(3) looks: kept here, since inside the sandbox there is no other file of ours to import. */
function lookup(command: string): 'found' | 'missing' | 'not-executable' {
  const folders = command.includes('/') ? ['.'] : (process.env['PATH'] ?? '').split(':');
  let refused = false;
  for (const folder of folders) {
    const path = resolve(folder, command);
    try {
      const stats = statSync(path);
      accessSync(path, constants.X_OK);
      if (stats.isFile()) return 'found';
      refused = true;
    } catch (error) {
      refused ||= error instanceof Error && 'code' in error && error.code === 'EACCES';
    }
  }
  return refused ? 'not-executable' : 'missing';
}
