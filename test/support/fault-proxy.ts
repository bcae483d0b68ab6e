/** Stands between a client and a server on TCP, and does to the bytes what networks do. Faults may change at any time. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Faults {
  /** Milliseconds that each chunk from the server waits; a function is asked for each. */
  readonly delayMs?: number | (() => number);
  /** Every n-th connection is cut at the first reply, which does not arrive. */
  readonly cutEvery?: number;
  /** Connections are taken and nothing passes in either direction. */
  readonly blackHole?: boolean;
  /** What clients get in place of each reply. */
  readonly garbage?: Buffer;
  /** Slipped in ahead of one reply, once. */
  readonly slipIn?: Buffer | undefined;
  /** The chance that a chunk from the server cuts its connection instead of passing. */
  readonly cutChance?: () => boolean;
}

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections taken so far. */
  connections(): number;
  set(faults: Faults): void;
  /** Cuts what is connected now. */
  cut(): void;
}

export async function faultProxy(target: number): Promise<FaultProxy> {
  const open = new Set<Socket>();
  let faults: Faults = {};
  let count = 0;

  const server = createServer((client) => {
    const number = ++count;
    const upstream = connect(target, '127.0.0.1');
    const pair = [client, upstream];
    const end = (): void => {
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        open.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      if (!faults.blackHole) upstream.write(chunk);
    });
    let order = Promise.resolve();
    upstream.on('data', (chunk) => {
      if (faults.blackHole) return;
      if (faults.cutEvery !== undefined && number % faults.cutEvery === 0) return end();
      if (faults.cutChance?.()) return end();
      const { slipIn, garbage, delayMs = 0 } = faults;
      if (slipIn) faults = { ...faults, slipIn: undefined };
      const bytes = garbage ?? (slipIn ? Buffer.concat([slipIn, chunk]) : chunk);
      const wait = typeof delayMs === 'number' ? delayMs : delayMs();
      // One after the other, as on a wire; what is late delays what follows by no more than its own wait.
      const due = wait === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, wait).unref());
      order = order.then(async () => {
        await due;
        if (!client.destroyed) client.write(bytes);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: address.port,
    connections: () => count,
    set(next) {
      faults = next;
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
